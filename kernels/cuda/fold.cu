// Windows of images as columns and back. Memory bound. unfold: one thread an
// element of the columns, which are written once, R S times the image, read
// from the caches. fold: one thread a pixel, which adds what stands for it in
// all windows, so that no two threads write one pixel.
#include "kernels/fold.h"

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

__host__ __device__ int64_t elements_of(const FoldShape& z) { return z.n * z.c * z.h.size * z.w.size * z.h.out * z.w.out; }
__host__ __device__ int64_t pixels_of(const FoldShape& z) { return z.n * z.c * z.h.in * z.w.in; }

template <class T> __global__ void __launch_bounds__(kThreads) unfold_threads_kernel(FoldArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= elements_of(z)) return;
  const int64_t q = at % z.w.out, p = at / z.w.out % z.h.out, row = at / (z.w.out * z.h.out);
  const int64_t s = row % z.w.size, r = row / z.w.size % z.h.size, plane = row / (z.w.size * z.h.size);
  const int64_t h = p * z.h.stride - z.h.padding + r * z.h.dilation, w = q * z.w.stride - z.w.padding + s * z.w.dilation;
  const bool inside = h >= 0 && h < z.h.in && w >= 0 && w < z.w.in;
  static_cast<T*>(a.columns)[at] = inside ? static_cast<const T*>(a.image)[(plane * z.h.in + h) * z.w.in + w] : narrow<T>(0);
}

// The output whose tap reads a pixel; -1: none does.
__device__ int64_t output_of(const FoldAxis& axis, int64_t pixel, int64_t tap) {
  const int64_t at = pixel + axis.padding - tap * axis.dilation;
  return at >= 0 && at % axis.stride == 0 && at / axis.stride < axis.out ? at / axis.stride : -1;
}

template <class T> __global__ void __launch_bounds__(kThreads) fold_threads_kernel(FoldArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= pixels_of(z)) return;
  const int64_t w = at % z.w.in, h = at / z.w.in % z.h.in, plane = at / (z.w.in * z.h.in);
  Compute<T> sum = 0;
  for (int64_t r = 0; r < z.h.size; ++r) {
    const int64_t p = output_of(z.h, h, r);
    if (p < 0) continue;
    for (int64_t s = 0; s < z.w.size; ++s) {
      const int64_t q = output_of(z.w, w, s);
      if (q >= 0) sum += widen(static_cast<const T*>(a.columns)[(((plane * z.h.size + r) * z.w.size + s) * z.h.out + p) * z.w.out + q]);
    }
  }
  static_cast<T*>(a.image)[at] = narrow<T>(sum);
}

Status unfold(const FoldArgs& a, Workspace& w) {
  if (elements_of(a.shape) == 0) return Status::ok;
  const gpu::Launch at = launch_threads(elements_of(a.shape), w);
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return gpu::launch<unfold_threads_kernel<T>>(at, a); }));
}
Status fold(const FoldArgs& a, Workspace& w) {
  if (pixels_of(a.shape) == 0) return Status::ok;
  const gpu::Launch at = launch_threads(pixels_of(a.shape), w);
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return gpu::launch<fold_threads_kernel<T>>(at, a); }));
}

bool supports(const FoldArgs& a) { return is_floating(a.shape.dtype); }
double error_fold(const FoldArgs& a) { return 4 + static_cast<double>(a.shape.h.size * a.shape.w.size); }

}  // namespace

TAPETUM_CANDIDATE(FoldArgs, unfold_cuda){.name = "threads", .supports = supports, .run = unfold};
TAPETUM_CANDIDATE(FoldArgs, fold_cuda){.name = "threads", .supports = supports, .error = error_fold, .run = fold};

}  // namespace tapetum::kernels
