// One thread a value. Bound by the latency of memory: log2(length) dependent
// reads, of which the first ones are the same for all and come from the caches.
#include "kernels/search.h"

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

template <class T> __global__ void __launch_bounds__(kThreads) search_sorted_threads_kernel(SearchArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= z.lines * z.values) return;
  const T* line = static_cast<const T*>(a.sorted) + (z.shared ? 0 : at / z.values * z.length);
  a.y[at] = place_in<Compute<T>>(line, z.length, widen(static_cast<const T*>(a.values)[at]), z.right, [](T x) { return widen(x); });
}

Status search(const SearchArgs& a, Workspace& w) {
  if (a.shape.lines * a.shape.values == 0) return Status::ok;
  const gpu::Launch at = launch_threads(a.shape.lines * a.shape.values, w);
  return with_type(a.shape.dtype, [&]<class T>() { return status_of(gpu::launch<search_sorted_threads_kernel<T>>(at, a)); });
}

bool supports(const SearchArgs&) { return true; }

}  // namespace

TAPETUM_CANDIDATE(SearchArgs, search_sorted_cuda){.name = "threads", .supports = supports, .run = search};

}  // namespace tapetum::kernels
