#include <catch2/catch.hpp>
#include <cmath>

#include "core/ops/layout.h"
#include "kernels/matmul.h"
#include "tests/ops/conv_cases.h"

namespace tapetum::test {

OP_TESTS("conv", conv_cases)

namespace {

Tensor image(const Shape& shape) { return rand(shape, -1, 1); }

// Rows whose gradients have kernels for channels side by side, with results in the order in which channels_last ones lie: so do the gradients
// that come back.
std::vector<Case> rows_with_channels_last_gradients() {
  std::vector<Case> rows;
  for (Case row : conv_cases) {
    const std::string name = row.name;
    const auto has = [&](const char* words) { return name.find(words) != std::string::npos; };
    if (row.flat || row.bench || !(has("depthwise") || has("in chunks") || has("3x3 of"))) continue;
    row.op = [op = row.op](const auto& x) { return permute(op(x), {0, 2, 3, 1}); };
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

TEST_CASE("conv: every candidate matches the reference for gradients in channels_last") {
  check_all(rows_with_channels_last_gradients(), check_candidates);
}
#if defined(TAPETUM_WITH_CUDA)
TEST_CASE("conv: cuda kernels match the reference for gradients in channels_last", "[emulated]") {
  check_all(rows_with_channels_last_gradients(), check_cuda);
}
#endif

TEST_CASE("conv2d: the result is channels_last when the input is, or when that is preferred") {
  const Tensor w = image({5, 3, 3, 3});
  REQUIRE(conv2d(image({1, 3, 6, 6}), w).is_channels_last());
  set_prefer_channels_last(false);
  REQUIRE(conv2d(image({1, 3, 6, 6}), w).is_contiguous());
  REQUIRE(conv2d(channels_last(image({1, 3, 6, 6})), w).is_channels_last());
  REQUIRE(conv_transpose2d(channels_last(image({1, 5, 6, 6})), w).is_channels_last());
  set_prefer_channels_last(true);
}

TEST_CASE("conv2d: wrong shapes are named") {
  const Tensor x = image({4, 16, 32, 32});
  REQUIRE_THROWS_WITH(conv2d(x, image({32, 8, 3, 3})),
                      "conv2d: weight must be [out, in/groups, r, s] with in/groups = 16, got [32, 8, 3, 3] (input [4, 16, 32, 32], groups 1)");
  REQUIRE_THROWS_AS(conv2d(x, image({9, 8, 3, 3}), {.groups = 2}), ShapeError);
  REQUIRE_THROWS_AS(conv2d(image({32, 32}), image({32, 16, 3, 3})), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 3})), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 0, 3})), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 3, 3}), image({31})), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 33, 3})), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 3, 3}), {.stride = 0}), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 3, 3}), {.padding = -1}), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 3, 3}), {.dilation = 0}), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 3, 3}), {.groups = 0}), ShapeError);
  REQUIRE_THROWS_AS(conv2d(x, image({32, 16, 3, 3}), {.stride = 2, .padding = "same"}), ShapeError);
  REQUIRE_THROWS_AS(Padding("full"), ShapeError);
  REQUIRE_THROWS_AS(conv2d_grad_input(image({4, 32, 32, 32}), image({32, 16, 3, 3}), {32, 32}), ShapeError);
  REQUIRE_THROWS_AS(conv2d_grad_weight(x, image({3, 32, 30, 30}), {3, 3}), ShapeError);
  REQUIRE_THROWS_AS(conv_transpose2d(x, image({15, 8, 2, 2})), ShapeError);
  REQUIRE_THROWS_AS(conv_transpose2d(x, image({16, 8, 2, 2}), {.stride = 2, .output_padding = 2}), ShapeError);
  REQUIRE_THROWS_AS(conv_transpose2d(image({1, 16, 1, 1}), image({16, 8, 2, 2}), {.padding = 1}), ShapeError);
}

TEST_CASE("conv2d: the precision setting chooses the candidate, f64 is always exact") {
  using kernels::ConvPrecision;
  const auto chosen = [](ConvPrecision precision, DType dtype) {
    const ConvPrecision before = kernels::conv_precision();
    kernels::set_conv_precision(precision);
    conv2d(channels_last(rand({1, 16, 16, 16}, -1, 1, dtype)), rand({16, 16, 3, 3}, -1, 1, dtype), {.padding = 1});
    kernels::set_conv_precision(before);
    return std::string(kernels::last_run().candidate);
  };
  REQUIRE(chosen(ConvPrecision::exact, DType::f32) == "implicit_gemm");
  REQUIRE(chosen(ConvPrecision::f2, DType::f32) == "winograd_f2");
  REQUIRE(chosen(ConvPrecision::f4, DType::f32) == "winograd_f4");
  REQUIRE(chosen(ConvPrecision::f4, DType::f64) == "implicit_gemm");
}

#if defined(TAPETUM_WITH_CUDA)
TEST_CASE("conv2d: on cuda too the precision setting chooses the candidate", "[emulated]") {
  using kernels::ConvPrecision;
  const auto chosen = [](ConvPrecision precision) {
    const ConvPrecision before = kernels::conv_precision();
    kernels::set_conv_precision(precision);
    conv2d(to(channels_last(image({1, 32, 32, 32})), DeviceKind::cuda), to(image({32, 32, 3, 3}), DeviceKind::cuda), {.padding = 1});
    kernels::set_conv_precision(before);
    return std::string(kernels::last_run().candidate);
  };
  REQUIRE(chosen(ConvPrecision::exact) == "implicit_gemm");
  REQUIRE(chosen(ConvPrecision::f2) == "winograd_f2");
  REQUIRE(chosen(ConvPrecision::f4) == "winograd_f4");
}

namespace {

struct PointwiseResults {
  Tensor y, gx, gw;
};
PointwiseResults pointwise(const Tensor& x, const Tensor& w, const Tensor& gy, const Tensor& b) {
  return {conv2d(x, w, b), conv2d_grad_input(gy, w, {x.size(2), x.size(3)}), conv2d_grad_weight(x, gy, {1, 1})};
}

bool same_values(const Tensor& there, const Tensor& here) {
  return amax(abs(to(to(there, DeviceKind::cpu), DType::f32) - to(to(here, there.dtype()), DType::f32))).item() == 0;
}

}  // namespace

TEST_CASE("conv2d: on cuda every product of matrices serves 1x1 filters", "[emulated]") {
  const auto whole_numbers = [](const Shape& shape) { return round(rand(shape, -4, 4)); };
  const Tensor x = whole_numbers({2, 16, 8, 17}), w = whole_numbers({24, 16, 1, 1}), gy = whole_numbers({2, 24, 8, 17}), b = whole_numbers({24});
  const PointwiseResults exact = pointwise(x, w, gy, b);
  const kernels::KernelGuard forward("conv2d_forward:gemm"), grad_input("conv2d_grad_input:gemm"), grad_weight("conv2d_grad_weight:gemm");
  for (const char* product : {"hopper", "mma", "tiled"})
    for (DType t : {DType::f16, DType::bf16}) {
      INFO(product << " " << name_of(t));
      const std::string spec = std::string("matmul_forward:") + product;
      const kernels::KernelGuard guard(spec);
      const auto there = [&](const Tensor& v) { return channels_last(to(to(v, t), DeviceKind::cuda)); };
      const PointwiseResults results = pointwise(there(x), there(w), there(gy), to(to(b, t), DeviceKind::cuda));
      REQUIRE(same_values(results.y, exact.y));
      REQUIRE(same_values(results.gx, exact.gx));
      REQUIRE(same_values(results.gw, exact.gw));
    }
}

TEST_CASE("conv2d: on cuda 1x1 filters are products image by image where channels are first", "[emulated]") {
  set_prefer_channels_last(false);
  check_cuda(conv_row("1x1", {{2, 16, 4, 6}, {24, 16, 1, 1}}));
  check_cuda(conv_row("1x1 bias", {{3, 8, 4, 6}, {16, 8, 1, 1}, {16}}));
  set_prefer_channels_last(true);
}

TEST_CASE("conv2d: on cuda 1x1 filters run as products where those pay", "[emulated]") {
  const auto slot = [](const Shape& image, int64_t filters, DType t, ConvActivation activation = ConvActivation::none) {
    const Tensor x = channels_last(to(ones(image, t), DeviceKind::cuda));
    conv2d_act(x, to(ones({filters, image[1], 1, 1}, t), DeviceKind::cuda), {}, {}, activation);
    return std::string(kernels::last_run().slot);
  };
  REQUIRE(slot({1, 16, 4, 4}, 72, DType::f32) == "matmul_forward");
  REQUIRE(slot({1, 16, 4, 4}, 72, DType::bf16) == "matmul_forward");
  REQUIRE(slot({1, 16, 4, 4}, 16, DType::f64) == "matmul_forward");
  REQUIRE(slot({1, 16, 4, 4}, 64, DType::f32) == "conv2d_forward");                        // its tiles would be half empty
  REQUIRE(slot({1, 16, 4, 4}, 72, DType::f32, ConvActivation::relu) == "conv2d_forward");  // which products do not know
  kernels::set_float32_matmul_precision(kernels::Float32MatmulPrecision::high);
  const std::string high = slot({1, 16, 4, 4}, 72, DType::f32);
  kernels::set_float32_matmul_precision(kernels::Float32MatmulPrecision::highest);
  REQUIRE(high == "conv2d_forward");  // a convolution never rounds to TF32
}

TEST_CASE("conv2d: winograd on cuda takes many tiles in batches", "[emulated]") {
  const Tensor x = image({1, 8, 520, 260}), w = image({8, 8, 3, 3});
  const kernels::KernelGuard exact("conv2d_forward:implicit_gemm");
  const Tensor y = conv2d(x, w, {.padding = 1});
  const kernels::KernelGuard batches("conv2d_forward:winograd_f2");
  const Tensor there = to(conv2d(to(x, DeviceKind::cuda), to(w, DeviceKind::cuda), {.padding = 1}), DeviceKind::cpu);
  REQUIRE(amax(abs(y - there)).item() < 1e-4);
}
#endif

TEST_CASE("conv2d: wrong dtypes are named") {
  REQUIRE_THROWS_AS(conv2d(image({1, 3, 4, 4}), rand({2, 3, 3, 3}, -1, 1, DType::f64)), DTypeError);
  REQUIRE_THROWS_AS(conv2d(zeros({1, 3, 4, 4}, DType::i32), zeros({2, 3, 3, 3}, DType::i32)), DTypeError);
}

TEST_CASE("conv2d: 16-bit tensors are computed in f32 and rounded once") {
  const Tensor x = to(image({1, 20, 6, 6}), DType::bf16), w = to(image({18, 20, 3, 3}), DType::bf16), b = to(image({18}), DType::bf16);
  const Tensor y = conv2d(x, w, b, {.padding = 1});
  REQUIRE(y.dtype() == DType::bf16);
  const Tensor exact = to(conv2d(to(x, DType::f32), to(w, DType::f32), to(b, DType::f32), {.padding = 1}), DType::bf16);
  REQUIRE(amax(abs(to(y - exact, DType::f32))).item() == 0);
}

TEST_CASE("conv2d: a NaN reaches the pixels that read it, and no other") {
  Tensor x = full({1, 4, 8, 8}, 1);
  x.mutable_data<float>()[3 * 8 + 4] = NAN;  // channel 0, pixel (3, 4)
  const Tensor y = contiguous(conv2d(x, full({6, 4, 3, 3}, 1), {.padding = 1}));
  for (int64_t i = 0; i < y.numel(); ++i) {
    const int64_t h = i / 8 % 8, w = i % 8;
    REQUIRE(std::isnan(y.data<float>()[i]) == (h >= 2 && h <= 4 && w >= 3 && w <= 5));
  }
}

TEST_CASE("conv2d: a filter that reaches past every element gives the bias") {
  const Tensor y = conv2d(image({1, 4, 2, 2}), image({6, 4, 1, 1}), full({6}, 0.5), {.padding = 3});
  REQUIRE(contiguous(y).data<float>()[0] == 0.5f);
}

}  // namespace tapetum::test
