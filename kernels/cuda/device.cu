// The CUDA device as core sees it.
#include "kernels/device.h"

#include "kernels/cuda/allocator.cuh"
#include "kernels/cuda/gpu/properties.cuh"
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {
namespace {

bool ok(cudaError_t error) { return error == cudaSuccess; }
cudaStream_t stream_at(void* p) { return static_cast<cudaStream_t>(p); }
cudaEvent_t event_at(void* p) { return static_cast<cudaEvent_t>(p); }

// A probe: a driver without a device, or one that is taken, fails here.
bool available() {
  static const bool found = [] {
    void* data = nullptr;
    return ok(cudaMalloc(&data, 1)) && ok(cudaFree(data));
  }();
  return found;
}

bool copy(void* to, const void* from, size_t bytes, CopyKind kind) {
  if (bytes == 0) return true;
  constexpr cudaMemcpyKind kinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice};
  const cudaStream_t stream = stream_at(current_stream());
  return ok(cudaMemcpyAsync(to, from, bytes, kinds[static_cast<int>(kind)], stream)) &&
         (kind != CopyKind::to_host || ok(cudaStreamSynchronize(stream)));
}
bool synchronize() { return ok(cudaDeviceSynchronize()); }

void* make_stream() {
  cudaStream_t stream = nullptr;
  return ok(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)) ? stream : nullptr;
}
void free_stream(void* stream) { cudaStreamDestroy(stream_at(stream)); }
bool finish(void* stream) { return ok(cudaStreamSynchronize(stream_at(stream))); }

void* make_event() {
  cudaEvent_t event = nullptr;
  return ok(cudaEventCreateWithFlags(&event, cudaEventDisableTiming)) ? event : nullptr;
}
void free_event(void* event) { cudaEventDestroy(event_at(event)); }
bool record(void* event, void* stream) { return ok(cudaEventRecord(event_at(event), stream_at(stream))); }
bool wait(void* stream, void* event) { return ok(cudaStreamWaitEvent(stream_at(stream), event_at(event), 0)); }
bool finish_event(void* event) { return ok(cudaEventSynchronize(event_at(event))); }

}  // namespace

extern const DeviceApi cuda_device;
const DeviceApi cuda_device{.available = available,
                            .emulated = gpu::kEmulated,
                            .allocate = allocate_device,
                            .release = release_device,
                            .memory = device_memory,
                            .reset_peak = reset_device_peak,
                            .release_kept = release_cached_device,
                            .copy = copy,
                            .synchronize = synchronize,
                            .last_error = gpu::last_error,
                            .make_stream = make_stream,
                            .free_stream = free_stream,
                            .finish = finish,
                            .make_event = make_event,
                            .free_event = free_event,
                            .record = record,
                            .wait = wait,
                            .finish_event = finish_event};

}  // namespace tapetum::kernels
