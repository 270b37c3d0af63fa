#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/ops/distance_cases.h"

namespace tapetum::test {

OP_TESTS("distance", distance_cases)

TEST_CASE("cdist: equal vectors have distance 0 and no gradient, by either way") {
  for (CdistMode mode : {CdistMode::product, CdistMode::differences}) {
    Tensor a = tensor({1, 2, 3, 4}, {2, 2}, DType::f64).set_requires_grad();
    const Tensor d = cdist(a, a.detach(), {.compute_mode = mode});
    REQUIRE(d.detach().data<double>()[0] == 0);
    REQUIRE(d.detach().data<double>()[1] == Approx(std::sqrt(8)));
    sum(d).backward();
    REQUIRE(a.grad().data<double>()[0] == Approx(-std::sqrt(0.5)));
  }
  REQUIRE(std::isnan(cdist(tensor({NAN, 1}, {1, 2}), zeros({1, 2}), {.compute_mode = CdistMode::product}).item()));
}

TEST_CASE("cdist: many vectors give what few do") {
  const Tensor a = rand({40, 6}, -1, 1, DType::f64), b = rand({3, 6}, -1, 1, DType::f64);
  REQUIRE(amax(abs(cdist(a, b) - cdist(a, b, {.compute_mode = CdistMode::differences}))).item() < 1e-13);
}

TEST_CASE("cdist: empty sets, p = 0, and what does not fit") {
  REQUIRE(cdist(rand({0, 3}), rand({2, 3})).shape() == Shape{0, 2});
  REQUIRE(sum(cdist(rand({2, 0}), rand({2, 0}), {.p = std::numeric_limits<double>::infinity()})).item() == 0);
  REQUIRE(cdist(tensor({1, 2, 3}, {1, 3}), tensor({1, 0, 0}, {1, 3}), {.p = 0}).item() == 2);
  REQUIRE_THROWS_AS(cdist(rand({2, 3}), rand({2, 4})), ShapeError);
  REQUIRE_THROWS_AS(cdist(rand({3}), rand({2, 3})), ShapeError);
  REQUIRE_THROWS_AS(cdist(rand({2, 3}), rand({2, 3}), {.p = -1}), Error);
  REQUIRE_THROWS_AS(cdist(rand({2, 3}), rand({2, 3}, 0, 1, DType::f64)), DTypeError);
}

}  // namespace tapetum::test
