// PyTorch's values and gradients of the same inputs (tests/fixtures/make_ops.py, f64).
#include <catch2/catch.hpp>
#include <limits>

#include "tests/fixtures.h"
#include "tests/ops/linalg_cases.h"
#include "tests/ops/parity.h"

namespace tapetum::test {
namespace {

using Inputs = std::vector<Tensor>;

const double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

Tensor two_quantiles(const Tensor& x, QuantileInterpolation how) {
  return quantile(x, to(tensor({0.3, 0.5}, DType::f64), x.dtype()), {.dim = 0, .interpolation = how});
}

const ParityRows rows = {
    {"neg", [](const Inputs& x) { return -x[0]; }},
    {"abs", [](const Inputs& x) { return abs(x[0]); }},
    {"sign", [](const Inputs& x) { return sign(x[0]); }},
    {"square", [](const Inputs& x) { return square(x[0]); }},
    {"exp", [](const Inputs& x) { return exp(x[0]); }},
    {"log", [](const Inputs& x) { return log(x[0]); }},
    {"log1p", [](const Inputs& x) { return log1p(x[0]); }},
    {"sqrt", [](const Inputs& x) { return sqrt(x[0]); }},
    {"rsqrt", [](const Inputs& x) { return rsqrt(x[0]); }},
    {"reciprocal", [](const Inputs& x) { return reciprocal(x[0]); }},
    {"sin", [](const Inputs& x) { return sin(x[0]); }},
    {"cos", [](const Inputs& x) { return cos(x[0]); }},
    {"erf", [](const Inputs& x) { return erf(x[0]); }},
    {"floor", [](const Inputs& x) { return floor(x[0]); }},
    {"ceil", [](const Inputs& x) { return ceil(x[0]); }},
    {"round", [](const Inputs& x) { return round(x[0]); }},
    {"relu", [](const Inputs& x) { return relu(x[0]); }},
    {"leaky_relu", [](const Inputs& x) { return leaky_relu(x[0], 0.2); }},
    {"relu6", [](const Inputs& x) { return relu6(x[0]); }},
    {"elu", [](const Inputs& x) { return elu(x[0], 0.7); }},
    {"sigmoid", [](const Inputs& x) { return sigmoid(x[0]); }},
    {"tanh", [](const Inputs& x) { return tanh(x[0]); }},
    {"silu", [](const Inputs& x) { return silu(x[0]); }},
    {"mish", [](const Inputs& x) { return mish(x[0]); }},
    {"softplus", [](const Inputs& x) { return softplus(x[0], 2, 3); }},
    {"hardsigmoid", [](const Inputs& x) { return hardsigmoid(x[0]); }},
    {"hardswish", [](const Inputs& x) { return hardswish(x[0]); }},
    {"gelu", [](const Inputs& x) { return gelu(x[0]); }},
    {"gelu_tanh", [](const Inputs& x) { return gelu(x[0], Gelu::tanh); }},
    {"clamp", [](const Inputs& x) { return clamp(x[0], -0.5, 1); }},
    {"pow_scalar", [](const Inputs& x) { return pow(x[0], 2.5); }},
    {"pow", [](const Inputs& x) { return pow(x[0], x[1]); }},
    {"add", [](const Inputs& x) { return x[0] + x[1]; }},
    {"sub", [](const Inputs& x) { return x[0] - x[1]; }},
    {"mul", [](const Inputs& x) { return x[0] * x[1]; }},
    {"div", [](const Inputs& x) { return x[0] / x[1]; }},
    {"maximum", [](const Inputs& x) { return maximum(x[0], x[1]); }},
    {"minimum", [](const Inputs& x) { return minimum(x[0], x[1]); }},
    {"lerp", [](const Inputs& x) { return lerp(x[0], x[1], x[2]); }},
    {"where", [](const Inputs& x) { return where(x[0] > 0, x[1], x[2]); }},
    {"sum",
     [](const Inputs& x) {
       return sum(x[0], {0, 2});
     }},
    {"mean", [](const Inputs& x) { return mean(x[0], {1}, true); }},
    {"prod", [](const Inputs& x) { return prod(x[0], {1}); }},
    {"prod_zero",
     [](const Inputs& x) {
       return prod(x[0] * tensor({1, 0, 1, 1}, DType::f64), {1});
     }},
    {"amax",
     [](const Inputs& x) {
       return amax(round(x[0]), {0, 2});
     }},
    {"amax_values",
     [](const Inputs& x) {
       return amax(x[0], {0, 2});
     }},
    {"amin", [](const Inputs& x) { return amin(x[0], {-1}, true); }},
    {"var",
     [](const Inputs& x) {
       return var(x[0], {0, 2});
     }},
    {"std", [](const Inputs& x) { return std(x[0], {1}, {.correction = 0, .keepdim = true}); }},
    {"norm2", [](const Inputs& x) { return norm(x[0], 2, {1}); }},
    {"norm3",
     [](const Inputs& x) {
       return norm(x[0], 3, {0, 1});
     }},
    {"norm1", [](const Inputs& x) { return norm(x[0], 1); }},
    {"norm_inf", [](const Inputs& x) { return norm(x[0], kInfinity, {1}); }},
    {"logsumexp",
     [](const Inputs& x) {
       return logsumexp(x[0] * 50, {0, 2});
     }},
    {"cumsum", [](const Inputs& x) { return cumsum(x[0], 1); }},
    {"tril", [](const Inputs& x) { return tril(x[0], 1); }},
    {"triu", [](const Inputs& x) { return triu(x[0], -1); }},
    {"flip",
     [](const Inputs& x) {
       return flip(x[0], {0, 2});
     }},
    {"roll",
     [](const Inputs& x) {
       return roll(x[0], {1, -2}, {0, 2});
     }},
    {"rot90", [](const Inputs& x) { return rot90(x[0], 1, 0, 2); }},
    {"rot90_back", [](const Inputs& x) { return rot90(x[0], -1, 1, 2); }},
    {"repeat",
     [](const Inputs& x) {
       return repeat(x[0], {2, 1, 3});
     }},
    {"tile",
     [](const Inputs& x) {
       return tile(x[0], {2, 1});
     }},
    {"cat",
     [](const Inputs& x) {
       return cat({x[0], x[1]}, 1);
     }},
    {"stack",
     [](const Inputs& x) {
       return stack({x[0], x[1]}, -1);
     }},
    {"permute",
     [](const Inputs& x) {
       return permute(x[0], {2, 0, 1});
     }},
    {"slice", [](const Inputs& x) { return x[0](slice(1), slice(0, kToEnd, 2), slice(-3, -1)); }},
    {"matmul", [](const Inputs& x) { return matmul(x[0], x[1]); }},
    {"linear", [](const Inputs& x) { return linear(x[0], x[1], x[2]); }},
    {"conv2d",
     [](const Inputs& x) {
       return conv2d(x[0], x[1], x[2], {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2});
     }},
    {"conv2d_same", [](const Inputs& x) { return conv2d(x[0], x[1], {.padding = "same"}); }},
    {"conv_transpose2d",
     [](const Inputs& x) {
       return conv_transpose2d(x[0], x[1], x[2], {.stride = {2, 3}, .padding = 1, .output_padding = {1, 2}, .dilation = {2, 1}, .groups = 2});
     }},
    {"max_dim", [](const Inputs& x) { return max(round(x[0]), 1).values; }},
    {"min_dim", [](const Inputs& x) { return min(x[0], 0, true).values; }},
    {"max_all", [](const Inputs& x) { return max(x[0]); }},
    {"clamp_min", [](const Inputs& x) { return clamp_min(x[0], 0.25); }},
    {"clamp_max", [](const Inputs& x) { return clamp_max(x[0], 0.25); }},
    {"clamp_tensors", [](const Inputs& x) { return clamp(x[0], x[1], x[2]); }},
    {"pow_base", [](const Inputs& x) { return pow(1.7, x[0]); }},
    {"where_numbers", [](const Inputs& x) { return where(x[0] > 1, 5, where(x[0] < -1, x[0], 0.5)); }},
    {"roll_flat", [](const Inputs& x) { return roll(x[0], {5}); }},
    {"linalg_solve", [](const Inputs& x) { return linalg::solve(sound(x[0]), x[1]); }},
    {"linalg_inv", [](const Inputs& x) { return linalg::inv(sound(x[0])); }},
    {"linalg_det", [](const Inputs& x) { return linalg::det(x[0]); }},
    {"linalg_slogdet", [](const Inputs& x) { return linalg::slogdet(x[0]).logabsdet; }},
    {"linalg_cholesky", [](const Inputs& x) { return linalg::cholesky(positive(x[0])); }},
    {"linalg_qr",
     [](const Inputs& x) {
       const auto [q, r] = linalg::qr(x[0]);
       return cat({q, r}, -2);
     }},
    {"linalg_qr_wide",
     [](const Inputs& x) {
       const auto [q, r] = linalg::qr(x[0]);
       return cat({q, r}, -1);
     }},
    {"linalg_eigvalsh", [](const Inputs& x) { return linalg::eigvalsh(symmetric(x[0])); }},
    {"linalg_eigh", [](const Inputs& x) { return square(linalg::eigh(symmetric(x[0])).vectors); }},
    {"linalg_svdvals", [](const Inputs& x) { return linalg::svdvals(x[0]); }},
    {"linalg_svd",
     [](const Inputs& x) {
       const linalg::Svd d = linalg::svd(x[0]);
       return cat({square(d.u), square(d.vh)}, -2);
     }},
    {"linalg_pinv", [](const Inputs& x) { return linalg::pinv(x[0]); }},
    {"linalg_lstsq", [](const Inputs& x) { return linalg::lstsq(x[0], x[1]); }},
    {"einsum_product", [](const Inputs& x) { return einsum("ij,jk->ik", x); }},
    {"einsum_implicit", [](const Inputs& x) { return einsum("kj,aik", x); }},
    {"einsum_diagonal", [](const Inputs& x) { return einsum("iij->ji", x); }},
    {"einsum_trace", [](const Inputs& x) { return einsum("ii", x); }},
    {"einsum_three", [](const Inputs& x) { return einsum("bn,anm,bm->ba", x); }},
    {"einsum_dots", [](const Inputs& x) { return einsum("...ij,...jk", x); }},
    {"einsum_outer", [](const Inputs& x) { return einsum("i,j->ji", x); }},
    {"einsum_repeated", [](const Inputs& x) { return einsum("iij,jj,j->i", x); }},
    {"einsum_four", [](const Inputs& x) { return einsum("ab,bc,cd,de->ae", x); }},
    {"einsum_sums", [](const Inputs& x) { return einsum("ij,kl->i", x); }},
    {"quantile", [](const Inputs& x) { return quantile(x[0], 0.3, {.dim = 1}); }},
    {"quantile_several",
     [](const Inputs& x) {
       return quantile(x[0], to(tensor({0, 0.4, 0.55, 1}, DType::f64), x[0].dtype()), {.dim = -2, .keepdim = true});
     }},
    {"quantile_of_q", [](const Inputs& x) { return quantile(x[0], abs(x[1]) / 4); }},
    {"quantile_lower", [](const Inputs& x) { return two_quantiles(x[0], QuantileInterpolation::lower); }},
    {"quantile_higher", [](const Inputs& x) { return two_quantiles(x[0], QuantileInterpolation::higher); }},
    {"quantile_nearest", [](const Inputs& x) { return two_quantiles(x[0], QuantileInterpolation::nearest); }},
    {"quantile_midpoint", [](const Inputs& x) { return two_quantiles(x[0], QuantileInterpolation::midpoint); }},
    {"quantile_nan", [](const Inputs& x) { return nanquantile(where(x[0] > 1, kNan, x[0]), 0.6, {.dim = 1}); }},
    {"median", [](const Inputs& x) { return median(x[0], 1).values; }},
    {"median_all", [](const Inputs& x) { return median(x[0]); }},
    {"nanmedian", [](const Inputs& x) { return nanmedian(where(x[0] > 0.5, kNan, x[0]), 0, true).values; }},
    {"cdist", [](const Inputs& x) { return cdist(x[0], x[1]); }},
    {"cdist_large", [](const Inputs& x) { return cdist(x[0], x[1]); }},
    {"cdist_1", [](const Inputs& x) { return cdist(x[0], x[1], {.p = 1}); }},
    {"cdist_3", [](const Inputs& x) { return cdist(x[0], x[1], {.p = 3}); }},
    {"cdist_infinity", [](const Inputs& x) { return cdist(x[0], x[1], {.p = kInfinity}); }},
    {"pairwise_distance", [](const Inputs& x) { return pairwise_distance(x[0], x[1], {.p = 3, .eps = 0.1, .keepdim = true}); }},
    {"index_put",
     [](const Inputs& x) {
       return index_put(x[0], {tensor({3, -4}, DType::i64), tensor({0, 2}, DType::i64)}, x[1]);
     }},
    {"index_put_accumulated",
     [](const Inputs& x) {
       return index_put(x[0], {tensor({1, 0, 1, 1}, DType::i64)}, x[1], true);
     }},
    {"index_put_between",
     [](const Inputs& x) {
       return index_put(x[0], {tensor({0, 1, 1, 0}, {2, 2}, DType::i64), reshape(arange(3), {3, 1, 1}), tensor({1, 0, 2, 2}, {2, 2}, DType::i64)},
                        x[1]);
     }},
};

}  // namespace

TEST_CASE("parity: values and gradients of ops are PyTorch's", "[parity]") { check_parity(load(fixture("ops.safetensors")), rows); }

}  // namespace tapetum::test
