#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/grid_cases.h"

namespace tapetum::test {

OP_TESTS("grid", grid_cases)

TEST_CASE("affine_grid: what does not fit is refused") {
  REQUIRE_THROWS_AS(affine_grid(rand({2, 2, 2}), {2, 1, 3, 3}), ShapeError);
  REQUIRE_THROWS_AS(affine_grid(rand({2, 2, 3}), {1, 1, 3, 3}), ShapeError);
  REQUIRE_THROWS_AS(affine_grid(rand({2, 2, 3}), {2, 1, 0, 3}), ShapeError);
  REQUIRE_THROWS_AS(affine_grid(to(rand({2, 2, 3}), DType::i64), {2, 1, 3, 3}), DTypeError);
}

namespace {

Tensor grid_at(std::initializer_list<double> places) { return tensor(places, {1, 1, static_cast<int64_t>(places.size() / 2), 2}, DType::f64); }

}  // namespace

TEST_CASE("grid_sample: the identity's grid gives the image, its gradient is PyTorch's at the border") {
  const Tensor x = rand({1, 3, 4, 5}, -1, 1, DType::f64), theta = tensor({1, 0, 0, 0, 1, 0}, {1, 2, 3}, DType::f64);
  for (bool corners : {false, true})
    for (GridSampleMode mode : {bilinear, GridSampleMode::nearest, bicubic}) {
      const Tensor y = grid_sample(x, affine_grid(theta, x.shape(), corners), {.mode = mode, .align_corners = corners});
      REQUIRE(amax(abs(y - x)).item() < 1e-12);
    }
  Tensor grid = grid_at({-1, -1, 1, 1}).set_requires_grad();  // on the border, where it no longer moves
  sum(grid_sample(x, grid, {.padding_mode = border, .align_corners = true})).backward();
  REQUIRE(amax(abs(grid.grad())).item() == 0);
}

TEST_CASE("grid_sample: places far outside, infinite and NaN") {
  const Tensor x = reshape(arange(6, DType::f64) + 1, {1, 1, 2, 3});
  const Tensor far = grid_at({1e30, 0, -1e30, 0, INFINITY, 0, -INFINITY, 0});
  REQUIRE(sum(abs(grid_sample(x, far))).item() == 0);
  const Tensor kept = grid_sample(x, far, {.padding_mode = border, .align_corners = true});
  for (int i = 0; i < 4; ++i) REQUIRE(kept.data<double>()[i] == (i % 2 ? 2.5 : 4.5));
  for (GridSampleMode mode : {bilinear, GridSampleMode::nearest, bicubic}) {
    const Tensor mirrored = grid_sample(x, far, {.mode = mode, .padding_mode = reflection});
    REQUIRE(amax(abs(mirrored)).item() <= 6);
    REQUIRE(grid_sample(x, grid_at({NAN, NAN}), {.mode = mode, .align_corners = true}).item() == Approx(1));
  }
}

TEST_CASE("grid_sample: what does not fit is refused") {
  REQUIRE_THROWS_AS(grid_sample(rand({1, 2, 3}), rand({1, 2, 2, 2})), ShapeError);
  REQUIRE_THROWS_AS(grid_sample(rand({1, 2, 3, 3}), rand({2, 2, 2, 2})), ShapeError);
  REQUIRE_THROWS_AS(grid_sample(rand({1, 2, 3, 3}), rand({1, 2, 2, 3})), ShapeError);
  REQUIRE_THROWS_AS(grid_sample(rand({1, 2, 0, 3}), rand({1, 2, 2, 2})), ShapeError);
  REQUIRE_THROWS_AS(grid_sample(rand({1, 2, 3, 3}), rand({1, 2, 2, 2}, 0, 1, DType::f64)), DTypeError);
}

}  // namespace tapetum::test
