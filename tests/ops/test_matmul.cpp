#include <catch2/catch.hpp>

#include "tests/ops/matmul_cases.h"

namespace tapetum::test {

OP_TESTS("matmul", matmul_cases)

TEST_CASE("matmul: shapes follow torch.matmul") {
  const auto shape = [](const Shape& a, const Shape& b) { return matmul(zeros(a), zeros(b)).shape(); };
  REQUIRE(shape({3}, {3}) == Shape{});
  REQUIRE(shape({2, 3}, {3}) == Shape{2});
  REQUIRE(shape({3}, {3, 4}) == Shape{4});
  REQUIRE(shape({5, 2, 3}, {3}) == Shape{5, 2});
  REQUIRE(shape({3}, {5, 3, 4}) == Shape{5, 4});
  REQUIRE(shape({6, 1, 2, 3}, {5, 3, 4}) == Shape{6, 5, 2, 4});
  REQUIRE(shape({0, 3}, {3, 4}) == Shape{0, 4});
}

TEST_CASE("matmul: a depth of zero gives zeros, with a bias the bias") {
  REQUIRE(matmul(zeros({2, 0}), zeros({0, 3})).data<float>()[5] == 0);
  REQUIRE(linear(zeros({2, 0}), zeros({3, 0}), full({3}, 2)).data<float>()[5] == 2);
}

TEST_CASE("matmul: 16-bit tensors are computed in f32 and rounded once") {
  const Tensor a = to(rand({3, 40}, -1, 1), DType::f16), b = to(rand({40, 5}, -1, 1), DType::f16);
  const Tensor y = matmul(a, b), exact = to(matmul(to(a, DType::f32), to(b, DType::f32)), DType::f16);
  REQUIRE(y.dtype() == DType::f16);
  REQUIRE(amax(abs(to(y - exact, DType::f32))).item() == 0);
}

#if defined(TAPETUM_WITH_CUDA)
TEST_CASE("matmul: f32 is multiplied in tf32 on cuda only when that is asked for", "[emulated]") {
  using kernels::Float32MatmulPrecision;
  const Case row = linear_row("tf32", {{40, 64}, {72, 64}, {72}});
  const auto chosen = [&] {
    const auto xs = make_inputs(row, DType::f32);
    linear(to(xs[0], DeviceKind::cuda), to(xs[1], DeviceKind::cuda));
    return std::string(kernels::last_run().candidate);
  };
  REQUIRE(chosen() == "tiled");
  kernels::set_float32_matmul_precision(Float32MatmulPrecision::high);
  const std::string high = chosen();
  for (const Case& r : {row, matmul_row("of long sums", {{24, 1096}, {1096, 40}}), matmul_row("batch", {{2, 40, 72}, {2, 72, 136}})}) check_cuda(r);
  kernels::set_float32_matmul_precision(Float32MatmulPrecision::highest);
  REQUIRE(high == "mma");
}
#endif

TEST_CASE("matmul: wrong shapes and dtypes are named") {
  REQUIRE_THROWS_WITH(matmul(zeros({2, 3}), zeros({4, 5})), "matmul: expected [..., m, k] x [..., k, n] or vectors [k], got [2, 3] x [4, 5]");
  REQUIRE_THROWS_AS(matmul(zeros({}), zeros({4, 5})), ShapeError);
  REQUIRE_THROWS_AS(matmul(zeros({2, 3, 4}), zeros({3, 4, 5})), ShapeError);
  REQUIRE_THROWS_AS(matmul(zeros({2, 3}), zeros({3, 2}, DType::f64)), DTypeError);
  REQUIRE_THROWS_AS(matmul(zeros({2, 3}, DType::i32), zeros({3, 2}, DType::i32)), DTypeError);
  REQUIRE_THROWS_AS(bmm(zeros({2, 3}), zeros({3, 2})), ShapeError);
  REQUIRE_THROWS_AS(outer(zeros({2, 3}), zeros({3})), ShapeError);
  REQUIRE_THROWS_AS(linear(zeros({2, 3}), zeros({5, 4})), ShapeError);
  REQUIRE_THROWS_AS(linear(zeros({2, 3}), zeros({5, 3}), zeros({4})), ShapeError);
}

}  // namespace tapetum::test
