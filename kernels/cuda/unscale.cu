// x /= scale over all tensors, and whether one was not finite: one pass, no round
// trip to the host. 8 bytes an element in f32: bound by memory.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/tensor_chunks.cuh"

namespace tapetum::kernels {
namespace {

template <class T, int n>
__global__ void __launch_bounds__(kThreads) unscale_kernel(const Chunk<n> GPU_IN_PLACE chunk, const double* scale, double* found_inf) {
  const auto [t, begin, end] = part_of(chunk, blockIdx.x);
  const auto factor = static_cast<Compute<T>>(1 / *scale);
  T* x = static_cast<T*>(t.value);
  bool bad = false;
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    bad |= !isfinite(widen(x[i]));
    x[i] = narrow<T>(widen(x[i]) * factor);
  }
  if (bad) *found_inf = 1;  // all that write it write the same
}

Status unscale_all(const UnscaleArgs& a, Workspace& w) {
  return with_floating_type(a.shape.dtype, [&]<class T>() {
    return for_each_chunk(a, [&]<int n>(const Chunk<n>& chunk) {
      if (blocks_of(chunk) == 0) return Status::ok;
      const gpu::Launch at{.grid = dim3(blocks_of(chunk)), .block = kThreads, .stream = stream_of(w)};
      return status_of(gpu::launch<unscale_kernel<T, n>>(at, chunk, a.scale, a.found_inf));
    });
  });
}

bool supports(const UnscaleArgs& a) { return is_floating(a.shape.dtype); }
double error(const UnscaleArgs&) { return 4; }

}  // namespace

TAPETUM_CANDIDATE(UnscaleArgs, unscale_cuda){.name = "chunks", .supports = supports, .error = error, .run = unscale_all};

}  // namespace tapetum::kernels
