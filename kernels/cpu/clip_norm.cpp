// Two passes over blocks of all tensors: norms of the blocks, added up in their order; then all are scaled. Formula: kernels/optimizer.h.
#include "kernels/cpu/tensor_blocks.h"

namespace tapetum::kernels {
namespace {

// sum |x|^p of [begin, end), or the greatest |x|.
template <class T> double run_norm(const T* x, int64_t begin, int64_t end, double p) {
  using V = Vec<T>;
  if (p == 2) {
    V squares(T(0));
    for_each_register(x, begin, end, [&](const T* at, int64_t n) {
      const V v = V::load(at, n);
      squares = squares + v * v;
    });
    return static_cast<double>(squares.sum());
  }
  double total = 0;
  for (int64_t i = begin; i < end; ++i) {
    const double magnitude = __builtin_fabs(static_cast<double>(x[i]));
    if (!__builtin_isinf(p))
      total += p == 1 ? magnitude : __builtin_pow(magnitude, p);
    else if (!(magnitude <= total))  // keeps a NaN
      total = total != total ? total : magnitude;
  }
  return total;
}

// Two results of run_norm in one.
double combined(double a, double b, double p) {
  if (!__builtin_isinf(p)) return a + b;
  return a != a || b <= a ? a : b;
}

// In short runs, whose results are added in double: long sums in one variable would lose digits.
template <class T> double block_norm(const T* x, int64_t begin, int64_t end, double p) {
  constexpr int64_t kRun = 64 * Vec<T>::lanes;
  double total = 0;
  for (int64_t i = begin; i < end; i += kRun) total = combined(total, run_norm(x, i, i + kRun < end ? i + kRun : end, p), p);
  return total;
}

Status clip(const ClipNormArgs& a, Workspace& w) {
  int64_t* starts = static_cast<int64_t*>(w.data);
  fill_block_starts(a, starts);
  double* parts = reinterpret_cast<double*>(starts + a.shape.tensors + 1);
  with_served_type(a.shape.dtype, [&]<class T>() {
    using V = Vec<T>;
    for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t block) {
      parts[block] = block_norm(static_cast<const T*>(t.value), begin, end, a.p);
    });
    double total = 0;
    for (int64_t b = 0; b < starts[a.shape.tensors]; ++b) total = combined(total, parts[b], a.p);
    *a.norm = __builtin_isinf(a.p) ? total : a.p == 2 ? __builtin_sqrt(total) : __builtin_pow(total, 1 / a.p);
    const double scale = a.limit / (*a.norm + 1e-6);
    if (scale >= 1 || __builtin_isinf(a.limit)) return;
    const V factor = constant<T>(scale);
    for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t) {
      for_each_register(static_cast<T*>(t.value), begin, end, [&](T* x, int64_t n) { (V::load(x, n) * factor).store(x, n); });
    });
  });
  return Status::ok;
}

size_t clip_bytes(const ClipNormArgs& a) { return block_starts_bytes(a) + static_cast<size_t>(most_blocks(a)) * sizeof(double); }

double error_clip(const ClipNormArgs& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.elements)); }

}  // namespace

TAPETUM_CPU_CANDIDATE(ClipNormArgs, clip_norm_vec){.name = "vec", .supports = supports, .workspace = clip_bytes, .error = error_clip, .run = clip};

}  // namespace tapetum::kernels
