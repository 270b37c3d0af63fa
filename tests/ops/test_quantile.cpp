#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/quantile_cases.h"

namespace tapetum::test {

OP_TESTS("quantile", quantile_cases)

namespace {

template <class T = double> std::vector<T> values(const Tensor& x) {
  const Tensor dense = contiguous(x);
  return {dense.data<T>(), dense.data<T>() + dense.numel()};
}

}  // namespace

TEST_CASE("quantile: a NaN makes its line NaN, nanquantile leaves it out") {
  const Tensor x = tensor({1, NAN, 3, 2, 4, 6, NAN, NAN, NAN}, {3, 3}, DType::f64);
  const auto all = values(quantile(x, 0.5, {.dim = 1}));
  REQUIRE(std::isnan(all[0]));
  REQUIRE(all[1] == 4);
  const auto others = values(nanquantile(x, 0.5, {.dim = 1}));
  REQUIRE(others[0] == 2);
  REQUIRE(others[1] == 4);
  REQUIRE(std::isnan(others[2]));
  REQUIRE(nanquantile(x, 1.0).item() == 6);
}

TEST_CASE("quantile: shapes are PyTorch's") {
  const Tensor x = rand({2, 3, 4}), q = tensor({0.1, 0.9});
  REQUIRE(quantile(x, q, {.dim = 1}).shape() == Shape{2, 2, 4});
  REQUIRE(quantile(x, q, {.dim = 1, .keepdim = true}).shape() == Shape{2, 2, 1, 4});
  REQUIRE(quantile(x, q).shape() == Shape{2});
  REQUIRE(quantile(x, q, {.keepdim = true}).shape() == Shape{2, 1, 1, 1});
  REQUIRE(quantile(x, 0.5, {.keepdim = true}).shape() == Shape{1, 1, 1});
  REQUIRE(quantile(x, slice(q, 0, 0, 1), {.dim = -1}).shape() == Shape{1, 2, 3});
  REQUIRE(quantile(full({}, 3), 0.5).shape() == Shape{});
}

TEST_CASE("quantile: what does not fit is refused") {
  const Tensor x = rand({2, 3});
  REQUIRE_THROWS_WITH(quantile(x, 1.5), Catch::Contains("[0, 1]"));
  REQUIRE_THROWS_WITH(quantile(x, tensor({0.5, -1})), Catch::Contains("[0, 1]"));
  REQUIRE_THROWS_AS(quantile(x, tensor({0.5}, DType::f64)), DTypeError);
  REQUIRE_THROWS_AS(quantile(x, rand({1, 1})), ShapeError);
  REQUIRE_THROWS_AS(quantile(to(x, DType::i64), 0.5), DTypeError);
  REQUIRE_THROWS_AS(quantile(rand({0, 3}), 0.5), ShapeError);
  REQUIRE_THROWS_AS(quantile(x, 0.5, {.dim = 2}), ShapeError);
}

TEST_CASE("median: the lower of two, its place, integers, NaN and nothing") {
  const Indexed m = median(tensor({4, 1, 3, 2}, DType::f64), 0);
  REQUIRE(m.values.item() == 2);
  REQUIRE(m.indices.item() == 3);
  REQUIRE(median(tensor({7, 9}, DType::i64)).item() == 7);
  const Tensor gaps = tensor({5, NAN, 3, NAN, 4}, DType::f64);
  REQUIRE(std::isnan(median(gaps).item()));
  REQUIRE(median(gaps, 0).indices.item() == 1);
  REQUIRE(nanmedian(gaps, 0).values.item() == 4);
  REQUIRE(nanmedian(gaps, 0).indices.item() == 4);
  REQUIRE(std::isnan(nanmedian(full({2}, NAN)).item()));
  REQUIRE(std::isnan(median(zeros({0})).item()));
  REQUIRE_THROWS_AS(median(zeros({2, 0}), 1), IndexError);
  REQUIRE(median(zeros({2, 0}), 0).values.shape() == Shape{0});
  REQUIRE(median(full({}, 3), 0).values.item() == 3);
}

TEST_CASE("unique: values, inverse and counts") {
  const Tensor x = tensor({3, 1, 2, 3, 1, 3}, {2, 3}, DType::i64);
  const Unique u = unique(x, {.return_inverse = true, .return_counts = true});
  REQUIRE(values<int64_t>(u.values) == std::vector<int64_t>{1, 2, 3});
  REQUIRE(values<int64_t>(u.counts) == std::vector<int64_t>{2, 1, 3});
  REQUIRE(u.inverse.shape() == Shape{2, 3});
  REQUIRE(values<int64_t>(u.values(u.inverse)) == values<int64_t>(x));
  REQUIRE_FALSE(unique(x).inverse.defined());
  REQUIRE(unique(tensor({NAN, 1, NAN})).values.size(0) == 3);
  REQUIRE(unique(tensor({1, 0, 1}, DType::boolean)).values.size(0) == 2);
  REQUIRE(unique(zeros({0, 2}), {.return_inverse = true}).inverse.shape() == Shape{0, 2});
  REQUIRE(unique(full({}, 5)).values.shape() == Shape{1});
}

}  // namespace tapetum::test
