// Running sums along lines, by a thread for each, or by a warp that scans 32
// dense elements at a time. Reads and writes each element once.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/lines.cuh"
#include "kernels/reduce.h"

namespace tapetum::kernels {
namespace {

bool supports(const CumsumArgs& a) { return is_floating(a.dtype) || a.dtype == DType::i64; }
double error(const CumsumArgs& a) { return 4 + __builtin_sqrt(static_cast<double>(a.length)); }

template <class T> __global__ void __launch_bounds__(kThreads) cumsum_thread_kernel(LineShape s, T* y, const T* x) {
  const int64_t number = line_of_thread<1>();
  if (number >= line_count(s)) return;
  Compute<T> total = 0;
  Line<1>(s, number).for_each([&](int64_t, int64_t at) { y[at] = narrow<T>(total += widen(x[at])); });
}

template <class T> __global__ void __launch_bounds__(kThreads) cumsum_warp_kernel(LineShape s, T* y, const T* x) {
  const int64_t number = line_of_thread<kWarp>();
  if (number >= line_count(s)) return;
  const int lane = threadIdx.x % kWarp;
  Compute<T> before = 0;
  for (int64_t i = lane; i < (s.length + kWarp - 1) / kWarp * kWarp; i += kWarp) {
    const int64_t at = number * s.length + i;
    const Compute<T> sum = before + scan_lanes(i < s.length ? widen(x[at]) : Compute<T>(0));
    if (i < s.length) y[at] = narrow<T>(sum);
    before = __shfl_sync(kAllLanes, sum, kWarp - 1);
  }
}

template <class T> cudaError_t launch(const CumsumArgs& a, const Workspace& w) {
  const LineShape s{a.outer, a.length, a.inner, a.dtype};
  T* y = static_cast<T*>(a.y);
  const T* x = static_cast<const T*>(a.x);
  return has_warp_per_line(s) ? gpu::launch<cumsum_warp_kernel<T>>(launch_lines(s, kWarp, w), s, y, x)
                              : gpu::launch<cumsum_thread_kernel<T>>(launch_lines(s, 1, w), s, y, x);
}

Status run(const CumsumArgs& a, Workspace& w) {
  if (a.outer * a.length * a.inner == 0) return Status::ok;
  if (a.dtype == DType::i64) return status_of(launch<int64_t>(a, w));
  return status_of(with_floating_type(a.dtype, [&]<class T>() { return launch<T>(a, w); }));
}

}  // namespace

TAPETUM_CANDIDATE(CumsumArgs, cumsum_cuda){.name = "scan", .supports = supports, .error = error, .run = run};

}  // namespace tapetum::kernels
