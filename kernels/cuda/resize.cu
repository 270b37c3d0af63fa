// y[p, q] = sum over h and w of A[p, h] B[q, w] x[h, w], one thread for each
// element of y, neighbours in memory side by side. Enlargements and adjoints of
// reductions read x about once from memory; windows that overlap meet in the
// caches.
#include "kernels/resize.h"

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

bool supports(const ResampleArgs& a) { return is_floating(a.shape.dtype); }
// Weights of one output sum to about 1 in size; an adjoint of an enlargement
// adds up as many terms as it enlarges.
double error(const ResampleArgs& a) {
  const auto& z = a.shape;
  return 16 + 2 * static_cast<double>(z.h) / static_cast<double>(z.p + 1) + 2 * static_cast<double>(z.w) / static_cast<double>(z.q + 1);
}

template <class T> __global__ void __launch_bounds__(kThreads) resample2d_pixels_kernel(ResampleArgs a) {
  const ResampleShape& z = a.shape;
  const int64_t at = thread_number();
  if (at >= z.n * z.p * z.q * z.c) return;
  const int64_t c = at % z.c, q = at / z.c % z.q, p = at / (z.c * z.q) % z.p, n = at / (z.c * z.q * z.p);
  using C = Compute<T>;
  const auto row_weight = static_cast<const C*>(a.rows.weight), column_weight = static_cast<const C*>(a.columns.weight);
  const int32_t left = a.columns.start[q], right = a.columns.start[q + 1], bottom = a.rows.start[p + 1];
  C sum = 0;
  for (int32_t i = a.rows.start[p]; i < bottom; ++i) {
    const T* row = static_cast<const T*>(a.x) + (n * z.h + a.rows.index[i]) * z.w * z.c + c;
    C of_row = 0;
    for (int32_t j = left; j < right; ++j) of_row += column_weight[j] * widen(row[a.columns.index[j] * z.c]);
    sum += row_weight[i] * of_row;
  }
  static_cast<T*>(a.y)[at] = narrow<T>(sum);
}

Status run(const ResampleArgs& a, Workspace& workspace) {
  const int64_t count = a.shape.n * a.shape.p * a.shape.q * a.shape.c;
  if (count == 0) return Status::ok;
  const gpu::Launch at = launch_threads(count, workspace);
  return with_floating_type(a.shape.dtype, [&]<class T>() { return status_of(gpu::launch<resample2d_pixels_kernel<T>>(at, a)); });
}

}  // namespace

TAPETUM_CANDIDATE(ResampleArgs, resample2d_pixels_cuda){.name = "pixels", .supports = supports, .error = error, .run = run};

}  // namespace tapetum::kernels
