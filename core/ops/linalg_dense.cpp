// With <Eigen/...> of another name (CMakeLists.txt), so that a program's own Eigen is never mixed with this one.
#include "core/ops/linalg_dense.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <atomic>
#include <cmath>
#include <limits>

#include "kernels/parallel.h"

namespace tapetum::dense {
namespace {

// Everything is computed in f64, by column-major matrices: one type of each decomposition, which takes Eigen ten seconds to compile already.
using Matrix = Eigen::MatrixXd;
using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix read(Batch batch, const void* p, int64_t i, int64_t m, int64_t n) {
  if (batch.dtype == DType::f64) return Eigen::Map<const Rows>(static_cast<const double*>(p) + i * m * n, m, n);
  return Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(static_cast<const float*>(p) + i * m * n, m, n)
      .cast<double>();
}
void write(Batch batch, void* p, int64_t i, const Matrix& x) {
  const Rows rows = x;
  const int64_t count = rows.size();
  for (int64_t k = 0; k < count; ++k) {
    if (batch.dtype == DType::f64)
      static_cast<double*>(p)[i * count + k] = rows.data()[k];
    else
      static_cast<float*>(p)[i * count + k] = static_cast<float>(rows.data()[k]);
  }
}

// f(number of the matrix) for each, spread over the threads: whether it went well. The first for which it did not.
template <class F> int64_t for_each_matrix(Batch batch, F f) {
  std::atomic<int64_t> failed{batch.count};
  kernels::parallel_for(batch.count, [&](int64_t i) {
    if (f(i)) return;
    int64_t first = failed;
    while (i < first && !failed.compare_exchange_weak(first, i)) {
    }
  });
  return failed == batch.count ? -1 : failed.load();
}

}  // namespace

int64_t solve(Batch batch, int64_t n, int64_t k, const void* a, const void* b, void* x) {
  return for_each_matrix(batch, [=](int64_t i) {
    const Eigen::PartialPivLU<Matrix> lu(read(batch, a, i, n, n));
    write(batch, x, i, lu.solve(read(batch, b, i, n, k)));
    return (lu.matrixLU().diagonal().array() != 0).all();
  });
}

void determinant(Batch batch, int64_t n, const void* a, void* sign, void* log_magnitude) {
  for_each_matrix(batch, [=](int64_t i) {
    const Eigen::PartialPivLU<Matrix> lu(read(batch, a, i, n, n));
    double s = static_cast<double>(lu.permutationP().determinant()), sum = 0;
    for (int64_t d = 0; d < n; ++d) {
      const double pivot = lu.matrixLU()(d, d);
      s *= (pivot > 0) - (pivot < 0);
      sum += std::log(std::fabs(pivot));
      if (std::isnan(pivot)) s = pivot;
    }
    write(batch, sign, i, Matrix::Constant(1, 1, s));
    write(batch, log_magnitude, i, Matrix::Constant(1, 1, sum));
    return true;
  });
}

int64_t cholesky(Batch batch, int64_t n, const void* a, void* l) {
  return for_each_matrix(batch, [=](int64_t i) {
    const Eigen::LLT<Matrix> llt(read(batch, a, i, n, n));
    const Matrix lower = llt.matrixL();
    write(batch, l, i, lower);
    return llt.info() == Eigen::Success && lower.diagonal().array().isFinite().all();
  });
}

int64_t eigh(Batch batch, int64_t n, const void* a, void* values, void* vectors) {
  return for_each_matrix(batch, [=](int64_t i) {
    const Matrix x = read(batch, a, i, n, n);
    if (!Matrix(x.triangularView<Eigen::Lower>()).allFinite()) return false;
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(x);
    write(batch, values, i, solver.eigenvalues());
    write(batch, vectors, i, solver.eigenvectors());
    return solver.info() == Eigen::Success;
  });
}

int64_t svd(Batch batch, int64_t m, int64_t n, const void* a, void* u, void* s, void* vh) {
  return for_each_matrix(batch, [=](int64_t i) {
    const Matrix x = read(batch, a, i, m, n);
    if (!x.allFinite()) return false;
    const Eigen::BDCSVD<Matrix> solver(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
    write(batch, u, i, solver.matrixU());
    write(batch, s, i, solver.singularValues());
    write(batch, vh, i, solver.matrixV().transpose());
    return solver.info() == Eigen::Success;
  });
}

void qr(Batch batch, int64_t m, int64_t n, const void* a, void* q, void* r) {
  for_each_matrix(batch, [=](int64_t i) {
    const Eigen::HouseholderQR<Matrix> solver(read(batch, a, i, m, n));
    write(batch, q, i, solver.householderQ() * Matrix::Identity(m, n));
    write(batch, r, i, solver.matrixQR().topRows(n).triangularView<Eigen::Upper>());
    return true;
  });
}

}  // namespace tapetum::dense
