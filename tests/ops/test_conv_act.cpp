#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/ops/conv_act_cases.h"

namespace tapetum::test {

OP_TESTS("conv_act", conv_act_cases)

namespace {

constexpr ConvActivation kActivations[] = {ConvActivation::none, ConvActivation::relu, ConvActivation::silu};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor activated(const Tensor& x, ConvActivation activation) {
  return activation == ConvActivation::none ? x : activation == ConvActivation::relu ? relu(x) : silu(x);
}

std::vector<DeviceKind> devices() {
  if (cuda::is_available()) return {DeviceKind::cpu, DeviceKind::cuda};
  return {DeviceKind::cpu};
}

// f(device, candidate) with each candidate of the forward convolution; one that cannot do the call is passed over.
template <class F> void for_each_candidate(F f) {
  for (DeviceKind device : devices())
    for (int i = 0; const char* candidate = kernels::conv2d_forward.candidate(device, i); ++i) {
      INFO(name_of(device) << " " << candidate);
      const std::string spec = std::string("conv2d_forward:") + candidate;
      const kernels::KernelGuard guard(spec);
      try {
        f(device, std::string(candidate));
      } catch (const UnsupportedKernel&) {
      }
    }
}

Tensor whole_numbers(const Shape& shape, double greatest) { return round(rand(shape, -greatest, greatest)); }

bool alike(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) < 1e-5; }

}  // namespace

TEST_CASE("conv2d_act: NaN and infinities go where the composite sends them") {
  Tensor x = rand({1, 8, 9, 9}, -1, 1), residual = rand({1, 8, 9, 9}, -1, 1);
  const double special[] = {NAN, kInfinity, -kInfinity};
  for (int i = 0; i < 3; ++i) {
    x.mutable_data<float>()[i * 243 + 40] = static_cast<float>(special[i]);
    residual.mutable_data<float>()[i * 200 + 7] = static_cast<float>(special[i]);
  }
  for (int64_t groups : {1, 8}) {
    const Conv2dOptions o{.padding = 1, .groups = groups};
    const Tensor w = rand({8, 8 / groups, 3, 3}, -1, 1), b = rand({8}, -1, 1);
    for (ConvActivation activation : kActivations)
      for_each_candidate([&](DeviceKind device, const std::string&) {
        const Tensor xs = channels_last(to(x, device)), ws = to(w, device), bs = to(b, device), rs = to(residual, device);
        const Tensor fused = contiguous(to(conv2d_act(xs, ws, bs, rs, activation, o), DeviceKind::cpu));
        const Tensor plain = contiguous(to(activated(conv2d(xs, ws, bs, o) + rs, activation), DeviceKind::cpu));
        for (int64_t i = 0; i < fused.numel(); ++i) {
          INFO(name_of(activation) << " " << i << ": " << fused.data<float>()[i] << ", composite " << plain.data<float>()[i]);
          REQUIRE(alike(fused.data<float>()[i], plain.data<float>()[i]));
        }
      });
  }
}

// Sums of whole numbers are exact in f32, those of the composite are not after its first rounding to 16 bits.
TEST_CASE("conv2d_act: 16-bit results are rounded once") {
  const Tensor x = whole_numbers({2, 16, 7, 5}, 9), b = whole_numbers({24}, 9), residual = whole_numbers({2, 24, 7, 5}, 300);
  const Tensor w = whole_numbers({24, 16, 3, 3}, 9), scale = whole_numbers({24}, 9), shift = whole_numbers({24}, 3000);  // both stay f32
  for (ConvActivation activation : {ConvActivation::none, ConvActivation::relu})
    for (DType t : {DType::f16, DType::bf16}) {
      const Conv2dOptions o{.padding = 1};
      const Tensor sums = [&] {
        const kernels::KernelGuard guard("conv2d_forward:implicit_gemm");
        return conv2d(x, w, b, o);
      }();
      const Tensor added = to(to(residual, t), DType::f32);
      const auto exact = [&](const Tensor& y) { return to(to(activated(y + added, activation), t), DType::f32); };
      for_each_candidate([&](DeviceKind device, const std::string& candidate) {
        if (candidate.starts_with("winograd")) return;  // rounds its transforms
        const auto at = [&](const Tensor& v) { return to(to(v, t), device); };
        const auto difference = [&](const Tensor& y, const Tensor& expected) {
          return amax(abs(to(to(y, DeviceKind::cpu), DType::f32) - exact(expected))).item();
        };
        const Tensor image = channels_last(at(x));
        const Tensor plain = conv2d_act(image, at(w), at(b), at(residual), activation, o);
        REQUIRE(difference(plain, sums) == 0);
        const Tensor scaled = conv2d_act(image, at(w), at(b), to(scale, device), to(shift, device), at(residual), activation, o);
        REQUIRE(difference(scaled, sums * reshape(scale, {24, 1, 1}) + reshape(shift, {24, 1, 1})) == 0);
      });
    }
}

TEST_CASE("conv2d_act: a scale of 1 and a shift of 0 change no value") {
  const Tensor x = rand({2, 32, 9, 11}, -1, 1), b = rand({32}, -1, 1), residual = rand({2, 32, 9, 11}, -1, 1);
  for (int64_t groups : {1, 32}) {
    const Conv2dOptions o{.padding = 1, .groups = groups};
    const Tensor w = rand({32, 32 / groups, 3, 3}, -1, 1);
    for (ConvActivation activation : kActivations)
      for_each_candidate([&](DeviceKind device, const std::string&) {
        const Tensor xs = channels_last(to(x, device)), ws = to(w, device), bs = to(b, device), rs = to(residual, device);
        const Tensor one = ones({32}, DType::f32, device), zero = zeros({32}, DType::f32, device);
        const Tensor plain = conv2d_act(xs, ws, bs, rs, activation, o), scaled = conv2d_act(xs, ws, bs, one, zero, rs, activation, o);
        REQUIRE(amax(abs(scaled - plain)).item() == 0);
      });
  }
}

TEST_CASE("conv2d_act: the result has the layout of conv2d's") {
  const Tensor x = rand({1, 16, 6, 6}, -1, 1), w = rand({8, 16, 3, 3}, -1, 1), residual = rand({1, 8, 4, 4}, -1, 1);
  REQUIRE(conv2d_act(x, w, {}, residual, ConvActivation::relu).strides() == conv2d(x, w).strides());
}

TEST_CASE("conv2d_act: wrong residuals, scales and shifts are named") {
  const Tensor x = rand({1, 3, 4, 4}, -1, 1), w = rand({2, 3, 3, 3}, -1, 1), two = ones({2});
  const auto scaled = [&](const Tensor& scale, const Tensor& shift) { return conv2d_act(x, w, {}, scale, shift, {}, ConvActivation::relu); };
  REQUIRE_THROWS_WITH(scaled(two, {}), "conv2d_act: scale and shift must both be given, shift is undefined");
  REQUIRE_THROWS_WITH(scaled(two, ones({3})), "conv2d_act: shift must be [2], got [3]");
  REQUIRE_THROWS_WITH(scaled(to(two, DType::f64), two), "conv2d_act: scale must be f32 as the input, got f64");
  REQUIRE_THROWS_WITH(conv2d_act(x, w, {}, rand({1, 2, 4, 4}, -1, 1), ConvActivation::relu),
                      "conv2d_act: residual must be [1, 2, 2, 2], got [1, 2, 4, 4]");
  REQUIRE_THROWS_AS(conv2d_act(x, w, {}, rand({1, 2, 2, 2}, -1, 1, DType::f64), ConvActivation::relu), DTypeError);
  REQUIRE_THROWS_AS(conv2d_act(x, rand({2, 2, 3, 3}, -1, 1), {}, {}, ConvActivation::relu), ShapeError);
  REQUIRE_THROWS_AS(conv2d_act(x, w, rand({3}, -1, 1), {}, ConvActivation::relu), ShapeError);
}

}  // namespace tapetum::test
