// How threads share the lines of a LineShape: side by side one each, or a whole warp where a line is dense and long.
#pragma once
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/lines.h"

namespace tapetum::kernels {
namespace {

constexpr bool has_warp_per_line(const LineShape& s) { return s.inner == 1 && s.length >= kWarp; }
constexpr int64_t line_count(const LineShape& s) { return s.outer * s.inner; }

// What a thread sees of a line: elements lane, lane + lanes, ... of those `stride` apart from `first` on.
template <int lanes> struct Line {
  int64_t first, length, stride;

  __device__ Line(const LineShape& s, int64_t number)
      : first(number / s.inner * s.length * s.inner + number % s.inner), length(s.length), stride(s.inner) {}

  // f(index in the line, offset)
  template <class F> __device__ void for_each(F f) const {
    for (int64_t i = lanes == 1 ? 0 : threadIdx.x % lanes; i < length; i += lanes) f(i, first + i * stride);
  }
};

// The line of this thread; past the last for those that have none, whole warps of them where warps share lines.
template <int lanes> __device__ int64_t line_of_thread() { return thread_number() / lanes; }

inline gpu::Launch launch_lines(const LineShape& s, int lanes, const Workspace& w) { return launch_threads(line_count(s), w, lanes); }

}  // namespace
}  // namespace tapetum::kernels
