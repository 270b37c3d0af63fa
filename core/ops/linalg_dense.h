// Decompositions of small dense matrices on the CPU, by Eigen: `count` of them one behind the other, row-major, f32 or f64. (For
// core/ops/linalg.cpp.) What can fail returns the number of the first matrix for which it did, -1 if none.
#pragma once
#include "kernels/types.h"

namespace tapetum::dense {

struct Batch {
  int64_t count;
  DType dtype;
};

int64_t solve(Batch batch, int64_t n, int64_t k, const void* a, const void* b, void* x);    // a [n, n] x = b [n, k]; fails if singular
void determinant(Batch batch, int64_t n, const void* a, void* sign, void* log_magnitude);   // one number each
int64_t cholesky(Batch batch, int64_t n, const void* a, void* l);                           // reads the lower triangle
int64_t eigh(Batch batch, int64_t n, const void* a, void* values, void* vectors);           // reads the lower triangle; ascending
int64_t svd(Batch batch, int64_t m, int64_t n, const void* a, void* u, void* s, void* vh);  // thin, descending
void qr(Batch batch, int64_t m, int64_t n, const void* a, void* q, void* r);                // m >= n: q [m, n], r [n, n]

}  // namespace tapetum::dense
