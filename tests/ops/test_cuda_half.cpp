// 16-bit tensors on CUDA: kernels read and write them without copies in f32, and what they add up is in f32.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/slot.h"
#include "tapetum.h"

namespace tapetum::test {
namespace {

Tensor on_cuda(const Tensor& x, DType dtype) { return to(to(x, dtype), DeviceKind::cuda); }
Tensor random(const Shape& shape, DType dtype) { return on_cuda(rand(shape, -1, 1), dtype); }
double greatest(const Tensor& x) { return amax(abs(to(to(x, DeviceKind::cpu), DType::f64))).item(); }
bool all_equal(const Tensor& x, double value) { return greatest(to(to(x, DeviceKind::cpu), DType::f64) - value) == 0; }

template <class F> int runs_of(F f) {
  kernels::last_run() = {};
  f();
  return kernels::last_run().runs;
}

// 6e4 and -6e4 in turn: mean 0, deviation 6e4; squares are beyond f16.
Tensor large(const Shape& shape) {
  Tensor x = full(shape, 6e4);
  for (int64_t i = 0; i < x.numel(); i += 2) x.mutable_data<float>()[i] = -6e4f;
  return on_cuda(x, DType::f16);
}

}  // namespace

TEST_CASE("cuda 16-bit: one kernel a call, no copies in f32", "[emulated]") {
  for (DType t : {DType::f16, DType::bf16}) {
    const Tensor x = channels_last(random({2, 8, 6, 6}, t)), w = random({8, 8, 3, 3}, t), a = random({20, 30}, t), b = random({30, 40}, t);
    const Tensor weight = random({30}, t), labels = to(to(rand({20}, 0, 30), DType::i64), DeviceKind::cuda);
    REQUIRE(runs_of([&] { matmul(a, b); }) == 1);
    REQUIRE(runs_of([&] { conv2d(x, w, {.padding = 1}); }) == 1);
    REQUIRE(runs_of([&] { softmax(a, 1); }) == 1);
    REQUIRE(runs_of([&] { layer_norm(a, {30}, weight, weight); }) == 1);
    REQUIRE(runs_of([&] { group_norm(x, 2); }) == 2);  // moments, result
    REQUIRE(runs_of([&] { max_pool2d(x, 2); }) == 1);
    REQUIRE(runs_of([&] { avg_pool2d(x, 2); }) == 1);
    REQUIRE(runs_of([&] { interpolate(x, {.scale_factor = 2, .mode = Interpolation::bilinear}); }) == 1);
    REQUIRE(runs_of([&] { cumsum(a, 1); }) == 1);
    REQUIRE(runs_of([&] { mean(a); }) == 2);  // sum, quotient
    REQUIRE(runs_of([&] { a + a; }) == 1);
  }
}

// A sum in f16 stays at 2,048, one in bf16 at 256: there 1 is half a step.
TEST_CASE("cuda 16-bit: 65,536 ones are added right", "[emulated]") {
  constexpr int64_t n = 1 << 16;
  for (DType t : {DType::f16, DType::bf16}) {
    INFO(name_of(t));
    const Tensor one = on_cuda(ones({n}), t), row = reshape(one, {1, n}), column = reshape(one, {n, 1});
    REQUIRE(mean(one).item() == 1);
    REQUIRE(all_equal(softmax(one, 0), 0x1p-16));
    REQUIRE(all_equal(log_softmax(row, 1), to(tensor({-16 * std::log(2)}, {1}), t).item()));
    REQUIRE(norm(one).item() == 256);
    REQUIRE(matmul(row * 0x1p-8, column * 0x1p-8).item() == 1);
    REQUIRE(cumsum(one * 0x1p-8, 0)(n - 1).item() == 256);
    const Tensor image = reshape(one, {1, 1, 256, 256});
    REQUIRE(conv2d_grad_weight(image * 0x1p-8, image * 0x1p-8, 1, {}).item() == 1);
    REQUIRE(adaptive_avg_pool2d(image, 1).item() == 1);
    REQUIRE(all_equal(layer_norm(row, {n}), 0));
    REQUIRE(all_equal(group_norm(image, 1), 0));
  }
}

TEST_CASE("cuda 16-bit: statistics of values near the greatest do not overflow", "[emulated]") {
  const Tensor x = large({4, 1000}), image = large({2, 4, 10, 10});
  REQUIRE(greatest(mean(x)) == 0);
  REQUIRE(greatest(std(x, {1}, {.correction = 0})) == Approx(6e4).epsilon(0x1p-10));
  REQUIRE(std::isinf(greatest(var(x))));  // 3.6e9 is beyond f16
  REQUIRE(norm(large({1, 1})).item() == Approx(6e4).epsilon(0x1p-10));
  for (const Tensor& y : {layer_norm(x, {1000}), batch_norm(image, {}, {}, {}, {}, {.training = true}), group_norm(image, 2)})
    REQUIRE(all_equal(abs(y), 1));
  REQUIRE(greatest(softmax(large({4, 2}), 1)) == 1);
  REQUIRE(greatest(logsumexp(large({4, 2}), {1}) - 6e4) <= 16);  // half a step of f16 there
}

TEST_CASE("cuda 16-bit: gradients have their inputs' types, f32 parameters of a norm included", "[emulated]") {
  for (DType t : {DType::f16, DType::bf16})
    for (DType of_weight : {t, DType::f32}) {
      const Tensor x = random({2, 4, 5, 5}, t).set_requires_grad(), w = random({4}, of_weight).set_requires_grad();
      const Tensor b = random({4}, of_weight).set_requires_grad();
      const Tensor y = batch_norm(x, {}, {}, w, b, {.training = true});
      REQUIRE(y.dtype() == t);
      const auto g = grad({y}, {x, w, b}, {random(y.shape(), t)}, {.create_graph = true});
      REQUIRE(g[0].dtype() == t);
      REQUIRE(g[1].dtype() == of_weight);
      REQUIRE(g[2].dtype() == of_weight);
    }
}

}  // namespace tapetum::test
#endif
