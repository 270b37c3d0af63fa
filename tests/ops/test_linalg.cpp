#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/linalg_cases.h"

namespace tapetum::test {

// The checks of OP_TESTS without those of CUDA, where these ops do not run.
TEST_CASE("linalg: gradients match finite differences", "[grad]") { check_all(linalg_cases, check_gradients); }
TEST_CASE("linalg: the same bits at any thread count") { check_all(linalg_cases, check_determinism); }
TEST_CASE("linalg: options of the rows", "[.trace]") { check_all(linalg_cases, print_trace); }
TEST_CASE("linalg: dtypes of the rows", "[.dtypes]") { check_all(linalg_cases, print_dtypes); }

namespace {

double distance(const Tensor& a, const Tensor& b) { return amax(abs(a - b)).item(); }
Tensor random(const Shape& shape, DType t = DType::f64) { return rand(shape, -1, 1, t); }
Tensor t(const Tensor& a) { return transpose(a, -2, -1); }

}  // namespace

TEST_CASE("linalg: the factors give the matrix, of any layout") {
  for (const Shape& shape : {Shape{3, 6, 4}, Shape{2, 4, 6}, Shape{5, 5}, Shape{40, 30}}) {
    const Tensor a = random(shape), transposed = t(contiguous(t(a)));
    const auto [u, s, vh] = linalg::svd(transposed);
    REQUIRE(distance(matmul(u * unsqueeze(s, -2), vh), a) < 1e-13);
    const auto [q, r] = linalg::qr(transposed);
    REQUIRE(distance(matmul(q, r), a) < 1e-13);
    REQUIRE(distance(matmul(t(q), q), eye(q.size(-1), -1, DType::f64)) < 1e-13);
    const Tensor p = linalg::pinv(a);
    REQUIRE(distance(matmul(matmul(a, p), a), a) < 1e-12);
  }
  const Tensor m = random({2, 6, 6}), both = matmul(m, t(m));
  const auto [values, vectors] = linalg::eigh(both);
  REQUIRE(distance(matmul(vectors * unsqueeze(values, -2), t(vectors)), both) < 1e-13);
  const Tensor l = linalg::cholesky(both);
  REQUIRE(distance(matmul(l, t(l)), both) < 1e-13);
  REQUIRE(distance(tril(l), l) == 0);
  REQUIRE(distance(matmul(linalg::inv(m), m), eye(6, -1, DType::f64)) < 1e-11);
  REQUIRE(distance(linalg::det(m), prod(linalg::eigvalsh(both), {-1}) / linalg::det(m)) < 1e-12);
}

TEST_CASE("linalg: f32 is worked out in f32") {
  const Tensor a = random({5, 5}, DType::f32);
  REQUIRE(linalg::solve(sound(a), a).dtype() == DType::f32);
  REQUIRE(distance(to(linalg::solve(sound(a), a), DType::f64), linalg::solve(sound(to(a, DType::f64)), to(a, DType::f64))) < 1e-5);
}

TEST_CASE("linalg: what cannot be done is named with its matrix") {
  const Tensor good = eye(2, -1, DType::f64), bad = tensor({1, 2, 2, 4}, {2, 2}, DType::f64), both = stack({good, bad});
  REQUIRE_THROWS_WITH(linalg::solve(both, both), "linalg.solve: matrix 1 of [2, 2, 2] is singular");
  REQUIRE_THROWS_WITH(linalg::inv(bad), Catch::Contains("matrix 0 of [2, 2] is singular"));
  REQUIRE_THROWS_WITH(linalg::cholesky(stack({good, -good})), Catch::Contains("matrix 1 of [2, 2, 2] is not positive-definite"));
  REQUIRE_THROWS_WITH(linalg::eigh(full({2, 2}, NAN)), Catch::Contains("not finite"));
  REQUIRE_THROWS_AS(linalg::svd(full({2, 2}, INFINITY)), Error);
  REQUIRE_THROWS_AS(linalg::det(rand({2, 3})), ShapeError);
  REQUIRE_THROWS_AS(linalg::svd(rand({3})), ShapeError);
  REQUIRE_THROWS_AS(linalg::solve(good, rand({3, 1}, 0, 1, DType::f64)), ShapeError);
  REQUIRE_THROWS_AS(linalg::solve(good, rand({2, 1})), DTypeError);
  REQUIRE_THROWS_AS(linalg::inv(to(good, DType::bf16)), DTypeError);
  REQUIRE_THROWS_AS(linalg::lstsq(rand({3, 2}), rand({2, 2})), ShapeError);
}

TEST_CASE("linalg: singular matrices have a determinant, its logarithm and its gradient") {
  Tensor a = tensor({1, 2, 2, 4}, {2, 2}, DType::f64).set_requires_grad();
  const Tensor d = linalg::det(a);
  REQUIRE(d.detach().item() == Approx(0).margin(1e-15));
  d.backward();
  const double cofactors[] = {4, -2, -2, 1};
  for (int i = 0; i < 4; ++i) REQUIRE(a.grad().data<double>()[i] == Approx(cofactors[i]));
  const auto [sign, magnitude] = linalg::slogdet(zeros({2, 2}));
  REQUIRE(sign.item() == 0);
  REQUIRE(std::isinf(magnitude.item()));
  REQUIRE(std::isnan(linalg::logdet(tensor({0, 1, 1, 0}, {2, 2})).item()));
}

TEST_CASE("linalg: empty matrices and batches") {
  REQUIRE(linalg::det(zeros({2, 0, 0})).shape() == Shape{2});
  REQUIRE(sum(linalg::det(zeros({2, 0, 0}))).item() == 2);
  REQUIRE(linalg::inv(zeros({0, 3, 3})).shape() == Shape{0, 3, 3});
  REQUIRE(linalg::solve(zeros({0, 0}), zeros({0, 2})).shape() == Shape{0, 2});
  REQUIRE(linalg::pinv(zeros({3, 0})).shape() == Shape{0, 3});
  REQUIRE(linalg::svdvals(zeros({0, 4})).shape() == Shape{0});
}

#if defined(TAPETUM_WITH_CUDA)
TEST_CASE("linalg: a tensor on a GPU is refused by name", "[emulated]") {
  REQUIRE_THROWS_WITH(linalg::inv(to(eye(2), DeviceKind::cuda)),
                      Catch::Contains("linalg.solve: runs on the CPU alone") || Catch::Contains("linalg.inv: runs on the CPU alone"));
}
#endif

}  // namespace tapetum::test
