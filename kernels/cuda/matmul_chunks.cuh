// What tensor cores ask of a product: both operands are read in chunks of 16 bytes.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "kernels/matmul.h"

namespace tapetum::kernels {
namespace {

inline bool is_multiple(const void* p, size_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

// Neighbours lie side by side along a dimension; in the other one, of `others`, lines begin at whole chunks.
inline bool is_dense(int64_t stride, int64_t other_stride, int64_t others, int64_t chunk) {
  return stride == 1 && (others == 1 || other_stride % chunk == 0);
}
inline int64_t chunk_of(const MatmulShape& z) { return static_cast<int64_t>(16 / size_of(z.dtype)); }
inline bool is_a_along_depth(const MatmulShape& z) { return is_dense(z.a.column, z.a.row, z.m, chunk_of(z)); }
inline bool is_b_along_depth(const MatmulShape& z) { return is_dense(z.b.row, z.b.column, z.n, chunk_of(z)); }

inline bool has_aligned_batch(const MatmulShape& z, int operand) {
  for (int64_t d = 0; d < z.batch.ndim; ++d)
    if (z.batch.stride[operand][d] % chunk_of(z)) return false;
  return true;
}

inline bool is_chunked(const MatmulArgs& args) {
  constexpr int64_t limit = int64_t{1} << 30;  // indices of 31 bits
  const MatmulShape& z = args.shape;
  const bool a = is_a_along_depth(z) || is_dense(z.a.row, z.a.column, z.k, chunk_of(z));
  const bool b = is_b_along_depth(z) || is_dense(z.b.column, z.b.row, z.k, chunk_of(z));
  return a && b && is_multiple(args.a, 16) && is_multiple(args.b, 16) && has_aligned_batch(z, 0) && has_aligned_batch(z, 1) && z.m < limit &&
         z.n < limit && z.k < limit;
}
// c may be written in chunks.
inline bool has_chunked_output(const MatmulArgs& args) {
  const MatmulShape& z = args.shape;
  return is_dense(z.c.column, z.c.row, z.m, chunk_of(z)) && is_multiple(args.c, 16) && has_aligned_batch(z, 2);
}

}  // namespace
}  // namespace tapetum::kernels
