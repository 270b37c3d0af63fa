// Which world this is, and what went wrong last, in words.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"

namespace gpu {

#if defined(__CUDACC__)
constexpr bool kEmulated = false;
#else
constexpr bool kEmulated = true;
#endif

// Of the current device.
struct Properties {
  int capability;  // 80: sm_80
  int multiprocessors;
  double clock;  // Hz, at most
};
inline Properties properties() {
#if defined(__CUDACC__)
  int device = 0, major = 0, minor = 0, multiprocessors = 0, kilohertz = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  cudaDeviceGetAttribute(&kilohertz, cudaDevAttrClockRate, device);
  return {10 * major + minor, multiprocessors, 1e3 * kilohertz};
#else
  return {90, 4, 0};  // the emulator has Hopper's instructions
#endif
}

inline const char* last_error() {
#if !defined(__CUDACC__)
  if (!tapetum::emulation::last_diagnostic().empty())
    return tapetum::emulation::last_diagnostic().c_str();  // names the kernel, the threads and the line
#endif
  return cudaGetErrorString(cudaPeekAtLastError());
}

}  // namespace gpu
