#include <catch2/catch.hpp>

#include "tests/ops/index_cases.h"

namespace tapetum::test {

OP_TESTS("index", index_cases)

namespace {

template <class T> std::vector<T> values(const Tensor& x) {
  const Tensor dense = contiguous(x);
  return {dense.data<T>(), dense.data<T>() + dense.numel()};
}

Tensor index_of(std::initializer_list<double> v, const Shape& shape) { return tensor(v, shape, DType::i64); }

}  // namespace

TEST_CASE("index ops: any dtype moves") {
  for (DType t : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8}) {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3}, t);
    REQUIRE(values<double>(to(gather(x, 1, index_of({2, 0, 1, 1}, {2, 2})), DType::f64)) == std::vector<double>{3, 1, 5, 5});
    REQUIRE(values<double>(to(scatter(x, 0, index_of({1, 0}, {1, 2}), 9), DType::f64)) == std::vector<double>{1, 9, 3, 9, 5, 6});
    REQUIRE(values<double>(to(index_add(x, 1, index_of({2, 2}, {2}), tensor({1, 1, 2, 2}, {2, 2}, t)), DType::f64)) ==
            std::vector<double>{1, 2, 5, 4, 5, 10});
  }
}

TEST_CASE("index ops: an index out of range is named with its place and the size") {
  const Tensor x = rand({4, 3});
  REQUIRE_THROWS_WITH(gather(x, 0, index_of({0, 1, 2, 3, 4, -1}, {2, 3})), "gather: index 4 at [1, 1] is out of range for size 4");
  REQUIRE_THROWS_WITH(index_select(x, 1, index_of({0, 3}, {2})), "index_select: index 3 at [1] is out of range for size 3");
  REQUIRE_THROWS_WITH(scatter(x, 1, index_of({-1}, {1, 1}), 0), "scatter: index -1 at [0, 0] is out of range for size 3");
  REQUIRE_THROWS_WITH(embedding(index_of({1, 4}, {2}), x), "embedding: index 4 at [1] is out of range for size 4");
  REQUIRE_THROWS_WITH(one_hot(index_of({1, 7}, {2}), 7), Catch::Contains("one_hot: index 7 at [1"));
  REQUIRE_THROWS_AS(bincount(index_of({-1, 2}, {2})), IndexError);
  REQUIRE_THROWS_AS(index_select(zeros({0, 3}), 0, index_of({0}, {1})), IndexError);
}

TEST_CASE("index ops: what does not fit is named") {
  const Tensor x = rand({4, 3}), i = index_of({0, 1}, {1, 2});
  REQUIRE_THROWS_AS(gather(x, 0, index_of({0}, {1})), ShapeError);
  REQUIRE_THROWS_AS(gather(x, 0, index_of({0, 0, 0, 0}, {1, 4})), ShapeError);
  REQUIRE_THROWS_AS(gather(x, 0, rand({1, 2})), DTypeError);
  REQUIRE_THROWS_AS(scatter(x, 0, i, rand({1, 1})), ShapeError);
  REQUIRE_THROWS_AS(scatter_add(x, 0, i, rand({1, 2}, 0, 1, DType::f64)), DTypeError);
  REQUIRE_THROWS_AS(index_select(x, 0, i), ShapeError);
  REQUIRE_THROWS_AS(masked_select(x, i), DTypeError);
  REQUIRE_THROWS_AS(embedding(i, rand({3})), ShapeError);
  REQUIRE_THROWS_AS(embedding(i, x, {.padding_idx = 4}), IndexError);
}

TEST_CASE("scatter: of equal indices the last one stays") {
  const Tensor y = scatter(zeros({3}), 0, index_of({1, 2, 1}, {3}), tensor({7, 8, 9}, {3}));
  REQUIRE(values<float>(y) == std::vector<float>{0, 9, 8});
}

TEST_CASE("nonzero: places of all dimensions in row-major order, over many pieces") {
  REQUIRE(values<int64_t>(nonzero(transpose(tensor({0, 5, 0, 1, 0, 2}, {2, 3}), 0, 1))) == std::vector<int64_t>{0, 1, 1, 0, 2, 1});
  REQUIRE(nonzero(full({}, 3)).shape() == Shape{1, 0});
  REQUIRE(nonzero(zeros({0, 2})).shape() == Shape{0, 2});
  const Tensor many = one_hot(indices({}, {50000}, 7), 7);  // 350,000 elements
  const Tensor places = nonzero(many);
  REQUIRE(places.size(0) == 50000);
  REQUIRE(values<int64_t>(slice(places, 1, 1, 2)) == values<int64_t>(indices({}, {50000}, 7)));
}

TEST_CASE("one_hot, bincount: sizes follow the greatest index") {
  REQUIRE(one_hot(index_of({0, 3}, {2})).shape() == Shape{2, 4});
  REQUIRE(values<int64_t>(bincount(index_of({1, 1, 4}, {3}))) == std::vector<int64_t>{0, 2, 0, 0, 1});
  REQUIRE(bincount(index_of({}, {0}), {}, 3).shape() == Shape{3});
  REQUIRE(bincount(to(index_of({1}, {1}), DType::i32)).dtype() == DType::i64);
}

TEST_CASE("embedding: the padding's row receives no gradient") {
  const Tensor w = rand({3, 2}).set_requires_grad();
  sum(embedding(index_of({0, 1, 1}, {3}), w, {.padding_idx = 1})).backward();
  REQUIRE(values<float>(w.grad()) == std::vector<float>{1, 1, 0, 0, 0, 0});
}

TEST_CASE("index_put: writes where indexing reads, in place and through a view too") {
  const Tensor x = reshape(arange(12, DType::f32), {3, 4});
  const Tensor rows = index_of({2, 0}, {2}), columns = index_of({-1, 1}, {2});
  REQUIRE(values<float>(index_put(x, {rows, columns}, tensor({50, 60}))(rows, columns)) == std::vector<float>{50, 60});
  REQUIRE(values<float>(x) == values<float>(arange(12, DType::f32)));
  Tensor y = clone(x), part = slice(y, 1, 1, 3);
  index_put_(part, {Tensor(), index_of({1}, {1})}, full({}, 9));
  REQUIRE(values<float>(y) == std::vector<float>{0, 1, 9, 3, 4, 5, 9, 7, 8, 9, 9, 11});
  index_put_(y, {index_of({0, 0}, {2}), index_of({0, 0}, {2})}, full({2}, 5), true);
  REQUIRE(y.data<float>()[0] == 10);
  REQUIRE(sum(index_put(x, {x > 100}, full({}, 1))).item() == sum(x).item());
  REQUIRE(index_put(x, {index_of({}, {0})}, zeros({0, 4})).shape() == x.shape());
}

TEST_CASE("index_put: what does not fit is named") {
  const Tensor x = rand({3, 4});
  REQUIRE_THROWS_WITH(index_put(x, {index_of({0, 1}, {2})}, rand({3, 4})), Catch::Contains("[3, 4]") && Catch::Contains("[2, 4]"));
  REQUIRE_THROWS_AS(index_put(x, {index_of({3}, {1})}, rand({1, 4})), IndexError);
  REQUIRE_THROWS_AS(index_put(x, {index_of({0}, {1}), index_of({4}, {1})}, rand({1})), IndexError);
  REQUIRE_THROWS_AS(index_put(x, {index_of({0}, {1})}, rand({4}, 0, 1, DType::f64)), DTypeError);
  REQUIRE_THROWS_AS(index_put(x, {index_of({0}, {1}), index_of({0}, {1}), index_of({0}, {1})}, rand({1})), ShapeError);
  REQUIRE_THROWS_AS(index_put(x, {Tensor(), Tensor()}, rand({1})), ShapeError);
  Tensor leaf = rand({3}).set_requires_grad();
  REQUIRE_THROWS_AS(index_put_(leaf, {index_of({0}, {1})}, full({}, 1)), AutogradError);
}

}  // namespace tapetum::test
