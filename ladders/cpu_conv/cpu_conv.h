// y [h, w, k] is x [h, w, c] convolved with filter [3, 3, c, k], zeros around x; all dense. On the CPU.
#pragma once
#include <memory>

#include "kernels/allocator.h"
#include "ladders/ladder.h"

namespace tapetum::ladders {

struct CpuConv : Step {
  CpuConv(const char* file, void (*convolve)(float* y, const float* x, const float* filter, int h, int w, int c, int k))
      : Step(file, [convolve](const Arrays& a) { return convolve(a.y, a.x[0], a.x[1], a.sizes[0], a.sizes[1], a.sizes[2], a.sizes[3]), true; }) {}
};

// Memory for a call, unspecified contents. The library keeps what is released; from the system each page would come anew, to be zeroed first.
struct Release {
  void operator()(float* data) const { kernels::release_host(data); }
};
using Scratch = std::unique_ptr<float[], Release>;
inline Scratch scratch(int64_t floats) { return Scratch(static_cast<float*>(kernels::allocate_host(static_cast<size_t>(floats) * sizeof(float)))); }

}  // namespace tapetum::ladders
