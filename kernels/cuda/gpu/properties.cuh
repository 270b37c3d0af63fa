// Which world this is, and what went wrong last, in words.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"

namespace gpu {

#if defined(__CUDACC__)
constexpr bool kEmulated = false;
#else
constexpr bool kEmulated = true;
#endif

inline const char* last_error() {
#if !defined(__CUDACC__)
  if (!tapetum::emulation::last_diagnostic().empty())
    return tapetum::emulation::last_diagnostic().c_str();  // names the kernel, the threads and the line
#endif
  return cudaGetErrorString(cudaPeekAtLastError());
}

}  // namespace gpu
