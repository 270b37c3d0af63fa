// The obvious loops: every value in double, or in int64 where the operation is one of integers.
#include "kernels/elementwise.h"

#include <cmath>
#include <numbers>

#include "kernels/candidates.h"
#include "kernels/reference/activation.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

template <class T> T read(const void* p, DType dtype, int64_t at) {
  return with_type(dtype, [&]<class S>() { return cast<T>(static_cast<const S*>(p)[at]); });
}

template <class T> void write(void* p, DType dtype, int64_t at, T value) {
  with_type(dtype, [&]<class S>() { static_cast<S*>(p)[at] = cast<S>(value); });
}

// f(x, scalars) of all inputs of one element.
template <class T, int N, auto f> void loop(const ElementwiseArgs& a) {
  for (int64_t i = 0; i < a.shape.count; ++i) {
    const auto o = offsets_of(a.shape, i, a.shape.ndim);
    T x[N];
    for (int j = 0; j < N; ++j) x[j] = read<T>(a.x[j], a.dtype[j + 1], o.at[j + 1]);
    write<T>(a.y, a.dtype[0], o.at[0], static_cast<T>(f(x, a.scalar)));
  }
}

enum class On { reals, numbers };  // numbers: integers too

template <int N, On on, auto f> Status run(const ElementwiseArgs& a, Workspace&) {
  if constexpr (on == On::numbers) {
    if (a.compute == DType::i64) {
      loop<int64_t, N, f>(a);
      return Status::ok;
    }
  }
  loop<double, N, f>(a);
  return Status::ok;
}

template <On on> bool supports(const ElementwiseArgs& a) { return is_compute(a.compute) || (on == On::numbers && a.compute == DType::i64); }

template <class T> int sign(T x) { return (x > 0) - (x < 0); }
double nan_max(double a, double b) { return a != a ? a : b != b ? b : a > b ? a : b; }
double nan_min(double a, double b) { return a != a ? a : b != b ? b : a < b ? a : b; }
int64_t nan_max(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t nan_min(int64_t a, int64_t b) { return a < b ? a : b; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double normal_density(double x) { return std::exp(-x * x / 2) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2); }
double normal_integral(double x) { return (1 + std::erf(x / std::numbers::sqrt2)) / 2; }

}  // namespace

#define ELEMENTWISE(op, inputs, on, expression)                                                                               \
  TAPETUM_CANDIDATE(ElementwiseArgs, op##_reference) {                                                                        \
    .name = "reference", .supports = supports<On::on>,                                                                        \
    .run = run<inputs, On::on, []([[maybe_unused]] const auto* x, [[maybe_unused]] const double* s) { return (expression); }> \
  }

ELEMENTWISE(copy_forward, 1, numbers, x[0]);
ELEMENTWISE(neg_forward, 1, numbers, -x[0]);
ELEMENTWISE(abs_forward, 1, numbers, x[0] < 0 ? -x[0] : x[0] + 0);
ELEMENTWISE(sign_forward, 1, numbers, sign(x[0]));
ELEMENTWISE(square_forward, 1, numbers, x[0] * x[0]);
ELEMENTWISE(exp_forward, 1, reals, std::exp(x[0]));
ELEMENTWISE(log_forward, 1, reals, std::log(x[0]));
ELEMENTWISE(log1p_forward, 1, reals, std::log1p(x[0]));
ELEMENTWISE(sqrt_forward, 1, reals, std::sqrt(x[0]));
ELEMENTWISE(rsqrt_forward, 1, reals, 1 / std::sqrt(x[0]));
ELEMENTWISE(reciprocal_forward, 1, reals, 1 / x[0]);
ELEMENTWISE(sin_forward, 1, reals, std::sin(x[0]));
ELEMENTWISE(cos_forward, 1, reals, std::cos(x[0]));
ELEMENTWISE(tanh_forward, 1, reals, std::tanh(x[0]));
ELEMENTWISE(sigmoid_forward, 1, reals, sigmoid(x[0]));
ELEMENTWISE(erf_forward, 1, reals, std::erf(x[0]));
ELEMENTWISE(floor_forward, 1, reals, std::floor(x[0]));
ELEMENTWISE(ceil_forward, 1, reals, std::ceil(x[0]));
ELEMENTWISE(round_forward, 1, reals, std::nearbyint(x[0]));
ELEMENTWISE(isnan_forward, 1, reals, x[0] != x[0]);
ELEMENTWISE(isfinite_forward, 1, reals, x[0] - x[0] == 0);
ELEMENTWISE(logical_not_forward, 1, numbers, x[0] == 0);
ELEMENTWISE(relu_forward, 1, numbers, x[0] < 0 ? 0 : x[0]);
ELEMENTWISE(gelu_forward, 1, reals, x[0] * normal_integral(x[0]));
ELEMENTWISE(silu_forward, 1, reals, x[0] * sigmoid(x[0]));
ELEMENTWISE(softplus_forward, 1, reals, x[0] * s[0] > s[1] ? x[0] : std::log1p(std::exp(x[0] * s[0])) / s[0]);
ELEMENTWISE(affine_forward, 1, numbers,
            x[0] * static_cast<std::remove_cvref_t<decltype(x[0])>>(s[0]) + static_cast<std::remove_cvref_t<decltype(x[0])>>(s[1]));
ELEMENTWISE(pow_scalar_forward, 1, reals, std::pow(x[0], s[0]));
ELEMENTWISE(clamp_forward, 1, numbers, x[0]<s[0] ? s[0] : x[0]> s[1] ? s[1] : x[0]);

ELEMENTWISE(add_forward, 2, numbers, x[0] + x[1]);
ELEMENTWISE(sub_forward, 2, numbers, x[0] - x[1]);
ELEMENTWISE(mul_forward, 2, numbers, x[0] * x[1]);
ELEMENTWISE(div_forward, 2, reals, x[0] / x[1]);
ELEMENTWISE(pow_forward, 2, reals, std::pow(x[0], x[1]));
ELEMENTWISE(maximum_forward, 2, numbers, nan_max(x[0], x[1]));
ELEMENTWISE(minimum_forward, 2, numbers, nan_min(x[0], x[1]));
ELEMENTWISE(eq_forward, 2, numbers, x[0] == x[1]);
ELEMENTWISE(ne_forward, 2, numbers, x[0] != x[1]);
ELEMENTWISE(lt_forward, 2, numbers, x[0] < x[1]);
ELEMENTWISE(le_forward, 2, numbers, x[0] <= x[1]);
ELEMENTWISE(gt_forward, 2, numbers, x[0] > x[1]);
ELEMENTWISE(ge_forward, 2, numbers, x[0] >= x[1]);
ELEMENTWISE(logical_and_forward, 2, numbers, x[0] != 0 && x[1] != 0);
ELEMENTWISE(logical_or_forward, 2, numbers, x[0] != 0 || x[1] != 0);
ELEMENTWISE(logical_xor_forward, 2, numbers, (x[0] != 0) != (x[1] != 0));
ELEMENTWISE(relu_backward, 2, numbers, x[1] <= 0 ? 0 : x[0]);
ELEMENTWISE(gelu_backward, 2, reals, x[0] * (normal_integral(x[1]) + x[1] * normal_density(x[1])));
ELEMENTWISE(silu_backward, 2, reals, activation_gradient(ConvActivation::silu, x[1], x[0]));
ELEMENTWISE(clamp_backward, 2, numbers, x[1] >= s[0] && x[1] <= s[1] ? x[0] : 0);

ELEMENTWISE(where_forward, 3, numbers, x[0] != 0 ? x[1] : x[2]);

}  // namespace tapetum::kernels
