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

template <class T> using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T> Eigen::Map<const Matrix<T>> in(const void* p, int64_t i, int64_t m, int64_t n) {
  return {static_cast<const T*>(p) + i * m * n, m, n};
}
template <class T> Eigen::Map<Matrix<T>> out(void* p, int64_t i, int64_t m, int64_t n) { return {static_cast<T*>(p) + i * m * n, m, n}; }

// f.operator()<T>(number of the matrix) for each, spread over the threads: whether it went well. The first for which it did not.
template <class F> int64_t for_each_matrix(Batch batch, F f) {
  std::atomic<int64_t> failed{batch.count};
  with_compute_type(batch.dtype, [&]<class T>() {
    kernels::parallel_for(batch.count, [&](int64_t i) {
      if (f.template operator()<T>(i)) return;
      int64_t first = failed;
      while (i < first && !failed.compare_exchange_weak(first, i)) {
      }
    });
  });
  return failed == batch.count ? -1 : failed.load();
}

}  // namespace

int64_t solve(Batch batch, int64_t n, int64_t k, const void* a, const void* b, void* x) {
  return for_each_matrix(batch, [=]<class T>(int64_t i) {
    const Eigen::PartialPivLU<Matrix<T>> lu(in<T>(a, i, n, n));
    out<T>(x, i, n, k) = lu.solve(in<T>(b, i, n, k));
    return (lu.matrixLU().diagonal().array() != T(0)).all();
  });
}

void determinant(Batch batch, int64_t n, const void* a, void* sign, void* log_magnitude) {
  for_each_matrix(batch, [=]<class T>(int64_t i) {
    const Eigen::PartialPivLU<Matrix<T>> lu(in<T>(a, i, n, n));
    T s = static_cast<T>(lu.permutationP().determinant()), sum = 0;
    for (int64_t d = 0; d < n; ++d) {
      const T pivot = lu.matrixLU()(d, d);
      s *= static_cast<T>((pivot > 0) - (pivot < 0));
      sum += std::log(std::fabs(pivot));
      if (std::isnan(pivot)) s = pivot;
    }
    static_cast<T*>(sign)[i] = s;
    static_cast<T*>(log_magnitude)[i] = sum;
    return true;
  });
}

int64_t cholesky(Batch batch, int64_t n, const void* a, void* l) {
  return for_each_matrix(batch, [=]<class T>(int64_t i) {
    const Eigen::LLT<Matrix<T>> llt(in<T>(a, i, n, n));
    out<T>(l, i, n, n) = llt.matrixL();
    return llt.info() == Eigen::Success && in<T>(l, i, n, n).diagonal().array().isFinite().all();
  });
}

int64_t eigh(Batch batch, int64_t n, const void* a, void* values, void* vectors) {
  return for_each_matrix(batch, [=]<class T>(int64_t i) {
    if (!in<T>(a, i, n, n).template triangularView<Eigen::Lower>().toDenseMatrix().allFinite()) return false;
    const Eigen::SelfAdjointEigenSolver<Matrix<T>> solver(in<T>(a, i, n, n));
    out<T>(values, i, n, 1) = solver.eigenvalues();
    out<T>(vectors, i, n, n) = solver.eigenvectors();
    return solver.info() == Eigen::Success;
  });
}

int64_t svd(Batch batch, int64_t m, int64_t n, const void* a, void* u, void* s, void* vh) {
  const int64_t k = m < n ? m : n;
  return for_each_matrix(batch, [=]<class T>(int64_t i) {
    if (!in<T>(a, i, m, n).allFinite()) return false;
    const Eigen::BDCSVD<Matrix<T>> solver(in<T>(a, i, m, n), Eigen::ComputeThinU | Eigen::ComputeThinV);
    out<T>(u, i, m, k) = solver.matrixU();
    out<T>(s, i, k, 1) = solver.singularValues();
    out<T>(vh, i, k, n) = solver.matrixV().transpose();
    return solver.info() == Eigen::Success;
  });
}

void qr(Batch batch, int64_t m, int64_t n, const void* a, void* q, void* r) {
  for_each_matrix(batch, [=]<class T>(int64_t i) {
    const Eigen::HouseholderQR<Matrix<T>> solver(in<T>(a, i, m, n));
    out<T>(q, i, m, n) = solver.householderQ() * Matrix<T>::Identity(m, n);
    out<T>(r, i, n, n) = solver.matrixQR().topRows(n).template triangularView<Eigen::Upper>();
    return true;
  });
}

}  // namespace tapetum::dense
