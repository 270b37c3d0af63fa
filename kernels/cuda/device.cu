// The CUDA device as core sees it.
#include "kernels/cuda/launch.cuh"
#include "kernels/device.h"

namespace tapetum::kernels {
namespace {

// A probe, since the emulator has no device queries.
bool available() {
  static const bool found = [] {
    void* data = nullptr;
    const bool ok = cudaMalloc(&data, 1) == cudaSuccess;
    if (ok) cudaFree(data);
    return ok;
  }();
  return found;
}
void* allocate(size_t bytes) {
  void* data = nullptr;
  return cudaMalloc(&data, bytes) == cudaSuccess ? data : nullptr;
}
void release(void* data) { cudaFree(data); }
bool copy(void* to, const void* from, size_t bytes, CopyKind kind) {
  const auto direction = kind == CopyKind::to_device ? cudaMemcpyHostToDevice
                         : kind == CopyKind::to_host ? cudaMemcpyDeviceToHost
                                                     : cudaMemcpyDeviceToDevice;
  return bytes == 0 || cudaMemcpy(to, from, bytes, direction) == cudaSuccess;
}
bool synchronize() { return cudaDeviceSynchronize() == cudaSuccess; }

}  // namespace

extern const DeviceApi cuda_device;
const DeviceApi cuda_device{available, allocate, release, copy, synchronize};

}  // namespace tapetum::kernels
