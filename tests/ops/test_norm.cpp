#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/norm_cases.h"

namespace tapetum::test {

OP_TESTS("norm", norm_cases)

TEST_CASE("batch_norm: nothing cancels when the mean is far from zero") {
  const Tensor x = rand({2, 6, 40, 40}, 999.9, 1000.1);
  const Tensor y = contiguous(to(batch_norm_of({x}), DType::f64)), exact = contiguous(batch_norm_of({to(x, DType::f64)}));
  double worst = 0;
  for (int64_t i = 0; i < y.numel(); ++i) worst = std::fmax(worst, std::fabs(y.data<double>()[i] - exact.data<double>()[i]));
  REQUIRE(worst < 4e-6);
}

TEST_CASE("batch_norm: running statistics move towards the batch, the variance unbiased, and the twin leaves them alone") {
  const Tensor x = tensor({1, 3, 5, 10, 10, 13}, {3, 2}, DType::f64).set_requires_grad();  // channels (1, 5, 10), (3, 10, 13)
  const Tensor running_mean = zeros({2}, DType::f64), running_var = full({2}, 1, DType::f64);
  const Tensor y = batch_norm(x, running_mean, running_var, {}, {}, {.training = true, .momentum = 0.5});
  const auto check = [&] {
    REQUIRE(running_mean.data<double>()[0] == Approx(0.5 * (16.0 / 3)));
    REQUIRE(running_var.data<double>()[0] == Approx(0.5 + 0.5 * (61.0 / 3)));
    REQUIRE(running_var.data<double>()[1] == Approx(0.5 + 0.5 * (79.0 / 3)));
  };
  check();
  grad({y}, {x}, {rand(y.shape(), -1, 1, DType::f64)}, {.create_graph = true});
  check();
  batch_norm(zeros({0, 2}, DType::f64), running_mean, running_var, {}, {}, {.training = true});  // nothing to learn from
  check();
}

TEST_CASE("batch_norm: inference uses the running statistics and does not change them") {
  const Tensor x = rand({2, 4, 3, 3}), mean = rand({4}), var = rand({4}, 1, 2);
  const Tensor y = batch_norm(x, mean, var);
  REQUIRE(mean.version() == 0);
  const Tensor expected = (x - reshape(mean, {1, 4, 1, 1})) / sqrt(reshape(var, {1, 4, 1, 1}) + 1e-5);
  const Tensor a = contiguous(y), b = contiguous(expected);
  for (int64_t i = 0; i < a.numel(); ++i) REQUIRE(a.data<float>()[i] == Approx(b.data<float>()[i]).margin(1e-6));
}

TEST_CASE("normalize: a vector of zeros stays one") {
  const Tensor x = zeros({1, 3}).set_requires_grad();
  const Tensor y = normalize(x);
  REQUIRE(y.detach().data<float>()[0] == 0);
  REQUIRE(cosine_similarity(x.detach(), rand({1, 3})).item() == 0);
}

TEST_CASE("norm: 16-bit types are computed in f32, with weights of either type") {
  const Tensor x = rand({2, 4, 3, 3}), w = rand({4}), b = rand({4}), none;
  const Tensor half = to(x, DType::f16), exact = batch_norm(to(half, DType::f32), none, none, w, b, {.training = true});
  Tensor mean = zeros({4}), var = ones({4});
  for (const Tensor& y : {batch_norm(half, mean, var, w, b, {.training = true}), group_norm(half, 2, w, b), instance_norm(half, w, b)})
    REQUIRE(y.dtype() == DType::f16);
  REQUIRE(amax(abs(to(batch_norm(half, mean, var, w, b, {.training = true}), DType::f32) - exact)).item() < 2e-3);
  REQUIRE(batch_norm(half, mean, var).dtype() == DType::f16);
  REQUIRE(layer_norm(half, {3}, none, none).dtype() == DType::f16);
  REQUIRE_THROWS_AS(batch_norm(to(x, DType::i32), mean, var), DTypeError);
  REQUIRE_THROWS_AS(layer_norm(to(x, DType::i32), {3}, none, none), DTypeError);
}

TEST_CASE("norm: what cannot be normalised is an error") {
  const Tensor x = rand({1, 4, 1, 1}), none;
  REQUIRE_THROWS_AS(batch_norm(x, none, none, none, none, {.training = true}), ShapeError);
  REQUIRE_THROWS_AS(batch_norm(x, none, none), Error);
  REQUIRE_THROWS_AS(batch_norm(x, none, none, rand({3}), none, {.training = true}), ShapeError);
  REQUIRE_THROWS_AS(batch_norm(rand({4}), none, none, none, none, {.training = true}), ShapeError);
  REQUIRE_THROWS_AS(batch_norm(x, none, none, rand({4}, 0, 1, DType::f64), none, {.training = true}), DTypeError);
  REQUIRE_THROWS_AS(group_norm(x, 3, none, none), ShapeError);
  REQUIRE_THROWS_AS(group_norm(x, 0, none, none), ShapeError);
  REQUIRE_THROWS_AS(instance_norm(x, none, none), ShapeError);
  REQUIRE_THROWS_AS(layer_norm(rand({2, 3}), {2}, none, none), ShapeError);
  REQUIRE_THROWS_AS(layer_norm(rand({2, 3}), {3}, rand({1, 3}), none), ShapeError);
  REQUIRE_THROWS_AS(normalize(rand({3})), ShapeError);
}

}  // namespace tapetum::test
