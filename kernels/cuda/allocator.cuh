// Device memory for tensors and workspaces. A block belongs to the stream that was current when it was allocated: freed, it is given out
// again to work on that stream, which runs behind the work that used it, so nothing waits. (cudaMalloc and cudaFree wait for the device.)
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "kernels/device.h"

namespace tapetum::kernels {

void* allocate_device(size_t bytes);  // 256-byte aligned; null when there is none. Thread-safe.
void release_device(void* data);
MemoryCounters device_memory();
size_t device_blocks(BlockCount* greatest, size_t room);
void reset_device_peak();
void release_cached_device();  // waits for the device
// While its pool is open, a stream's blocks are given back to nobody else.
void open_device_pool(void* stream);
void close_device_pool(void* stream);  // waits for the device

// Memory may be made and freed on a thread that captures a stream: it is no part of the graph.
class OutsideCapture {
 public:
  OutsideCapture() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~OutsideCapture() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  OutsideCapture(const OutsideCapture&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

}  // namespace tapetum::kernels
