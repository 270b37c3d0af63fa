// norm = (sum |x|^p)^(1/p) over all tensors, then x *= limit / (norm + 1e-6)
// where that is below 1. Three passes, no round trip to the host: each block of
// threads leaves the sum of its part, one block adds them up, all scale. Bound
// by memory: 12 bytes an element in f32. Sums are kept in double, whose range
// holds any square of a float; their order depends on the shapes alone.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/tensor_chunks.cuh"

namespace tapetum::kernels {
namespace {

// Two sums in one; for p = infinity the greater value, or a NaN.
__device__ double combined(double a, double b, double p) {
  if (!isinf(p)) return a + b;
  return a != a || b <= a ? a : b;
}
__device__ double powered(double magnitude, double p) {
  if (p == 2) return magnitude * magnitude;
  return p == 1 || isinf(p) ? magnitude : pow(magnitude, p);
}

template <class T, int n>
__global__ void __launch_bounds__(kThreads) clip_norm_parts_kernel(const Chunk<n> GPU_IN_PLACE chunk, double p, double* parts) {
  const auto [t, begin, end] = part_of(chunk, blockIdx.x);
  double total = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads)
    total = combined(total, powered(fabs(static_cast<double>(widen(static_cast<const T*>(t.value)[i]))), p), p);
  total = reduce_block(total, [p](double a, double b) { return combined(a, b, p); });
  if (threadIdx.x == 0) parts[blockIdx.x] = total;
}

__global__ void __launch_bounds__(kThreads) clip_norm_total_kernel(const double* parts, int64_t count, double p, double* norm) {
  double total = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) total = combined(total, parts[i], p);
  total = reduce_block(total, [p](double a, double b) { return combined(a, b, p); });
  if (threadIdx.x == 0) *norm = isinf(p) ? total : p == 2 ? sqrt(total) : pow(total, 1 / p);
}

template <class T, int n>
__global__ void __launch_bounds__(kThreads) clip_norm_scale_kernel(const Chunk<n> GPU_IN_PLACE chunk, double limit, const double* norm) {
  const double scale = limit / (*norm + 1e-6);
  if (scale >= 1) return;
  const auto [t, begin, end] = part_of(chunk, blockIdx.x);
  T* x = static_cast<T*>(t.value);
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) x[i] = narrow<T>(widen(x[i]) * static_cast<Compute<T>>(scale));
}

// One launch a chunk that has elements, with the number of blocks before it.
template <class F> Status launch_chunks(const ClipNormArgs& a, Workspace& w, F launch) {
  int64_t before = 0;
  return for_each_chunk(a, [&](const auto& chunk) {
    const unsigned blocks = blocks_of(chunk);
    if (blocks == 0) return Status::ok;
    const Status s = status_of(launch(gpu::Launch{.grid = dim3(blocks), .block = kThreads, .stream = stream_of(w)}, chunk, before));
    before += blocks;
    return s;
  });
}

int64_t parts_of(const ClipNormArgs& a) {
  int64_t parts = 0;
  for (int64_t k = 0; k < a.shape.tensors; ++k) parts += blocks_for(a.tensors[k].count, kBlock);
  return parts;
}
size_t workspace(const ClipNormArgs& a) { return static_cast<size_t>(parts_of(a)) * sizeof(double); }

template <class T> Status run(const ClipNormArgs& a, Workspace& w) {
  double* parts = static_cast<double*>(w.data);
  Status s = launch_chunks(a, w, [&]<int n>(const gpu::Launch& at, const Chunk<n>& chunk, int64_t before) {
    return gpu::launch<clip_norm_parts_kernel<T, n>>(at, chunk, a.p, parts + before);
  });
  if (s != Status::ok) return s;
  const gpu::Launch one{.grid = 1, .block = kThreads, .stream = stream_of(w)};
  s = status_of(gpu::launch<clip_norm_total_kernel>(one, parts, parts_of(a), a.p, a.norm));
  if (s != Status::ok || __builtin_isinf(a.limit)) return s;
  return launch_chunks(a, w, [&]<int n>(const gpu::Launch& at, const Chunk<n>& chunk, int64_t) {
    return gpu::launch<clip_norm_scale_kernel<T, n>>(at, chunk, a.limit, a.norm);
  });
}

Status clip(const ClipNormArgs& a, Workspace& w) {
  return with_floating_type(a.shape.dtype, [&]<class T>() { return run<T>(a, w); });
}

bool supports(const ClipNormArgs& a) { return is_floating(a.shape.dtype); }
double error(const ClipNormArgs&) { return 16; }

}  // namespace

TAPETUM_CANDIDATE(ClipNormArgs, clip_norm_cuda){.name = "parts", .supports = supports, .workspace = workspace, .error = error, .run = clip};

}  // namespace tapetum::kernels
