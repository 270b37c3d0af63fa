// Max pooling and the two linear maps of its gradient. One thread an element of
// the result, neighbours in the order that it lies in memory. Memory bound:
// forward reads x (windows overlap in L1) and writes y and its index; scatter
// reads y and index for each element of x, so that no two threads write the
// same place.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/images.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/pool.h"

namespace tapetum::kernels {
namespace {

__device__ Place output_of(const MaxPool2dShape& z, int64_t at) { return place_of(at, z.c, z.h.out, z.w.out, z.y_stride[1] == 1); }

__host__ __device__ int64_t inputs_of(const MaxPool2dShape& z) { return z.n * z.c * z.h.in * z.w.in; }
__host__ __device__ int64_t outputs_of(const MaxPool2dShape& z) { return z.n * z.c * z.h.out * z.w.out; }

template <class T> __global__ void __launch_bounds__(kThreads) max_pool2d_forward_threads_kernel(MaxPool2dArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= outputs_of(z)) return;
  const Place p = output_of(z, at);
  const T* x = static_cast<const T*>(a.x) + p.n * z.x_stride[0] + p.c * z.x_stride[1];
  const int64_t first_row = z.h.begin(p.h), first_column = z.w.begin(p.w), rows_end = z.h.end(p.h), columns_end = z.w.end(p.w);
  Compute<T> best = -INFINITY;
  int64_t place = first_place(z, p.h, p.w);
  for (int64_t i = first_row; i < rows_end; i += z.h.dilation)
    for (int64_t j = first_column; j < columns_end; j += z.w.dilation) {
      const Compute<T> v = widen(x[i * z.x_stride[2] + j * z.x_stride[3]]);
      if (v > best || v != v) {
        best = v;
        place = i * z.w.in + j;
      }
    }
  static_cast<T*>(a.y)[offset_of(z.y_stride, p)] = narrow<T>(best);
  a.index[offset_of(z.index_stride, p)] = static_cast<int32_t>(place);
}

template <class T> __global__ void __launch_bounds__(kThreads) max_pool2d_gather_threads_kernel(MaxPool2dArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= outputs_of(z)) return;
  const Place p = output_of(z, at);
  const int64_t place = a.index[offset_of(z.index_stride, p)];
  const bool inside = place >= 0 && place < z.h.in * z.w.in;  // an empty window has no place
  const Place from{p.n, p.c, place / z.w.in, place % z.w.in};
  static_cast<T*>(a.y)[offset_of(z.y_stride, p)] = inside ? static_cast<const T*>(a.x)[offset_of(z.x_stride, from)] : narrow<T>(0);
}

template <class T> __global__ void __launch_bounds__(kThreads) max_pool2d_scatter_threads_kernel(MaxPool2dArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= inputs_of(z)) return;
  const Place x = place_of(at, z.c, z.h.in, z.w.in, z.x_stride[1] == 1);
  const int64_t own = x.h * z.w.in + x.w, last_p = z.h.last_output(x.h), last_q = z.w.last_output(x.w);
  Compute<T> sum = 0;
  for (int64_t p = z.h.first_output(x.h); p <= last_p; ++p)
    for (int64_t q = z.w.first_output(x.w); q <= last_q; ++q) {
      const Place y{x.n, x.c, p, q};
      if (a.index[offset_of(z.index_stride, y)] == own) sum += widen(static_cast<const T*>(a.y)[offset_of(z.y_stride, y)]);
    }
  static_cast<T*>(a.x)[offset_of(z.x_stride, x)] = narrow<T>(sum);
}

Status forward(const MaxPool2dArgs& a, Workspace& w) {
  if (outputs_of(a.shape) == 0) return Status::ok;
  const gpu::Launch at = launch_threads(outputs_of(a.shape), w);
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return gpu::launch<max_pool2d_forward_threads_kernel<T>>(at, a); }));
}
Status gather(const MaxPool2dArgs& a, Workspace& w) {
  if (outputs_of(a.shape) == 0) return Status::ok;
  const gpu::Launch at = launch_threads(outputs_of(a.shape), w);
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return gpu::launch<max_pool2d_gather_threads_kernel<T>>(at, a); }));
}
Status scatter(const MaxPool2dArgs& a, Workspace& w) {
  if (inputs_of(a.shape) == 0) return Status::ok;
  const gpu::Launch at = launch_threads(inputs_of(a.shape), w);
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return gpu::launch<max_pool2d_scatter_threads_kernel<T>>(at, a); }));
}

bool supports(const MaxPool2dArgs& a) { return is_floating(a.shape.dtype); }
double error_scatter(const MaxPool2dArgs& a) { return 4 + static_cast<double>(a.shape.h.size * a.shape.w.size); }

}  // namespace

TAPETUM_CANDIDATE(MaxPool2dArgs, max_pool2d_forward_cuda){.name = "threads", .supports = supports, .run = forward};
TAPETUM_CANDIDATE(MaxPool2dArgs, max_pool2d_gather_cuda){.name = "threads", .supports = supports, .run = gather};
TAPETUM_CANDIDATE(MaxPool2dArgs, max_pool2d_scatter_cuda){.name = "threads", .supports = supports, .error = error_scatter, .run = scatter};

}  // namespace tapetum::kernels
