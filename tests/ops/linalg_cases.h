#pragma once
#include "tests/ops/case.h"

namespace tapetum::test {

// Far from singular.
inline Tensor sound(const Tensor& x) { return x + eye(x.size(-1), -1, x.dtype()) * 5; }
inline Tensor positive(const Tensor& x) { return matmul(x, transpose(x, -2, -1)) + eye(x.size(-2), -1, x.dtype()); }
inline Tensor symmetric(const Tensor& x) { return x + transpose(x, -2, -1); }

inline Case linalg_case(const char* name, const std::vector<Shape>& shapes, const Op& op) {
  return {.name = name, .shapes = shapes, .op = op, .slots = {}, .constant_lines = false, .amplification = 64};
}

inline const std::vector<Case> linalg_cases = {
    linalg_case("linalg_solve", {{4, 4}, {4, 3}}, [](const auto& x) { return linalg::solve(sound(x[0]), x[1]); }),
    linalg_case("linalg_solve vectors", {{2, 3, 3}, {2, 3}}, [](const auto& x) { return linalg::solve(sound(x[0]), x[1]); }),
    linalg_case("linalg_solve broadcast", {{2, 1, 3, 3}, {3, 3, 2}}, [](const auto& x) { return linalg::solve(sound(x[0]), x[1]); }),
    linalg_case("linalg_inv", {{2, 4, 4}}, [](const auto& x) { return linalg::inv(sound(x[0])); }),
    linalg_case("linalg_det", {{2, 4, 4}}, [](const auto& x) { return linalg::det(x[0]); }),
    linalg_case("linalg_slogdet", {{3, 4, 4}}, [](const auto& x) { return linalg::slogdet(x[0]).logabsdet; }),
    linalg_case("linalg_logdet", {{3, 4, 4}}, [](const auto& x) { return linalg::logdet(positive(x[0])); }),
    linalg_case("linalg_cholesky", {{2, 4, 4}}, [](const auto& x) { return linalg::cholesky(positive(x[0])); }),
    linalg_case("linalg_qr", {{2, 5, 3}}, [](const auto& x) { return linalg::qr(x[0]).q; }),
    linalg_case("linalg_qr wide", {{3, 5}},
                [](const auto& x) {
                  const auto [q, r] = linalg::qr(x[0]);
                  return cat({q, r}, -1);
                }),
    linalg_case("linalg_eigh", {{2, 4, 4}}, [](const auto& x) { return linalg::eigvalsh(symmetric(x[0])); }),
    linalg_case("linalg_eigh vectors", {{2, 4, 4}},
                [](const auto& x) {
                  const auto [values, vectors] = linalg::eigh(symmetric(x[0]));
                  return square(vectors) * unsqueeze(values, -2);
                }),
    linalg_case("linalg_svd", {{2, 3, 5}}, [](const auto& x) { return linalg::svdvals(x[0]); }),
    linalg_case("linalg_svd vectors", {{2, 5, 3}},
                [](const auto& x) {
                  const auto [u, s, vh] = linalg::svd(x[0]);
                  return cat({square(u), square(vh) * unsqueeze(s, -1)}, -2);
                }),
    linalg_case("linalg_svd vectors of a wide matrix", {{3, 4}},
                [](const auto& x) {
                  const auto [u, s, vh] = linalg::svd(x[0]);
                  return cat({square(u) * unsqueeze(s, -2), square(vh)}, -1);
                }),
    linalg_case("linalg_pinv", {{2, 5, 3}}, [](const auto& x) { return linalg::pinv(x[0]); }),
    linalg_case("linalg_pinv of a wide matrix", {{3, 5}}, [](const auto& x) { return linalg::pinv(x[0], 1e-3); }),
    linalg_case("linalg_lstsq", {{5, 3}, {5, 2}}, [](const auto& x) { return linalg::lstsq(x[0], x[1]); }),
};

}  // namespace tapetum::test
