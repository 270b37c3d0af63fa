// The lowest position of what is wrong with a kernel's input, brought back to the host at once, since the caller throws.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {
namespace {

// The same whichever thread comes first.
inline __device__ void report_lowest(int64_t* lowest, int64_t position) { atomicMin(reinterpret_cast<long long*>(lowest), position); }

inline cudaError_t send_lowest(int64_t* on_device, const int64_t* lowest, cudaStream_t stream) {
  return cudaMemcpyAsync(on_device, lowest, sizeof *lowest, cudaMemcpyHostToDevice, stream);
}
inline cudaError_t fetch_lowest(int64_t* lowest, const int64_t* on_device, cudaStream_t stream) {
  const cudaError_t error = cudaMemcpyAsync(lowest, on_device, sizeof *lowest, cudaMemcpyDeviceToHost, stream);
  return error == cudaSuccess ? cudaStreamSynchronize(stream) : error;
}

}  // namespace
}  // namespace tapetum::kernels
