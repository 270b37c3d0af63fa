// Linear algebra with torch.linalg's names, of matrices [..., m, n] in f32 or f64: leading dimensions are a batch. It runs on the CPU, by Eigen; a
// tensor of another device throws DeviceError. Differentiable, to any order where the result is smooth: vectors of eigh and svd where values are
// distinct and not 0, up to a sign that nothing fixes. Errors: ShapeError, DTypeError; Error naming the first matrix that is singular, not
// positive-definite, or not finite.
#pragma once
#include <optional>

#include "core/tensor.h"

namespace tapetum::linalg {

Tensor solve(const Tensor& a, const Tensor& b);  // a x = b: a [..., n, n], b [..., n, k], or [n], or vectors beside the matrices -> as b
Tensor inv(const Tensor& a);
Tensor det(const Tensor& a);  // [...]
struct Slogdet {
  Tensor sign, logabsdet;  // [...]; of a singular matrix 0 and -infinity
};
Slogdet slogdet(const Tensor& a);
Tensor logdet(const Tensor& a);  // NaN where det is negative

Tensor cholesky(const Tensor& a);  // l, lower, with l l^T = a; reads a's lower triangle, its gradient is symmetric

struct Qr {
  Tensor q, r;  // [..., m, k], [..., k, n], k = min(m, n); q^T q = 1, r upper
};
Qr qr(const Tensor& a);

struct Eigh {
  Tensor values, vectors;  // [..., n] ascending, [..., n, n]: column i belongs to value i
};
Eigh eigh(const Tensor& a);  // of a symmetric matrix, whose lower triangle is read
Tensor eigvalsh(const Tensor& a);

struct Svd {
  Tensor u, s, vh;  // [..., m, k], [..., k] descending, [..., k, n], k = min(m, n): a = u diag(s) vh (torch's full_matrices = False)
};
Svd svd(const Tensor& a);
Tensor svdvals(const Tensor& a);

// Moore and Penrose's inverse [..., n, m]: singular values at or below rtol times the greatest count as 0; nullopt: max(m, n) eps.
Tensor pinv(const Tensor& a, std::optional<double> rtol = std::nullopt);
// x [..., n, k] of least |a x - b|, and among those the shortest: pinv(a, rtol) b. b [..., m, k]
Tensor lstsq(const Tensor& a, const Tensor& b, std::optional<double> rtol = std::nullopt);

}  // namespace tapetum::linalg
