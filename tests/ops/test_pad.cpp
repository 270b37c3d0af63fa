#include <catch2/catch.hpp>

#include "tests/ops/pad_cases.h"

namespace tapetum::test {
namespace {

void check_values(const Tensor& y, std::initializer_list<double> expected) {
  REQUIRE(y.numel() == static_cast<int64_t>(expected.size()));
  const Tensor dense = contiguous(to(y, DType::f64));
  int64_t i = 0;
  for (double v : expected) REQUIRE(dense.data<double>()[i++] == v);
}

}  // namespace

OP_TESTS("pad", pad_cases)

TEST_CASE("pad: the last dimension comes first, and the mode says what is added") {
  const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {1, 1, 2, 3});
  check_values(pad(x, {1, 0, 0, 1}, {.value = 9}), {9, 1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9});
  check_values(pad(x, {2, 1, 0, 0}, {.mode = PadMode::reflect}), {3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5});
  check_values(pad(x, {1, 1, 1, 0}, {.mode = PadMode::replicate}), {1, 1, 2, 3, 3, 1, 1, 2, 3, 3, 4, 4, 5, 6, 6});
  check_values(pad(x, {-1, -1}), {2, 5});
}

TEST_CASE("pad: integers keep their dtype") {
  const Tensor y = pad(tensor({1, 2}, {2}, DType::u8), {1, 0}, {.value = 255});
  REQUIRE(y.dtype() == DType::u8);
  check_values(y, {255, 1, 2});
  REQUIRE(pad(to(rand({1, 2, 2}), DType::bf16), {1, 1}, {.mode = PadMode::reflect}).dtype() == DType::bf16);
  REQUIRE_THROWS_AS(pad(zeros({1, 2, 2}, DType::u8), {1, 1}, {.mode = PadMode::reflect}), DTypeError);
}

TEST_CASE("pad: what cannot be is an error") {
  const Tensor x = rand({1, 2, 3, 3});
  REQUIRE_THROWS_AS(pad(x, {1}), ShapeError);
  REQUIRE_THROWS_AS(pad(rand({3}), {1, 1, 1, 1}), ShapeError);
  REQUIRE_THROWS_AS(pad(x, {-2, -2}), ShapeError);
  REQUIRE_THROWS_AS(pad(x, {3, 0, 0, 0}, {.mode = PadMode::reflect}), ShapeError);
  REQUIRE_THROWS_AS(pad(x, {1, 1, 1, 1, 1, 1}, {.mode = PadMode::replicate}), ShapeError);
  REQUIRE_THROWS_AS(pad(rand({3}), {1, 1}, {.mode = PadMode::replicate}), ShapeError);
  REQUIRE_THROWS_AS(pad(rand({1, 1, 0, 3}), {0, 0, 1, 1}, {.mode = PadMode::replicate}), ShapeError);
}

}  // namespace tapetum::test
