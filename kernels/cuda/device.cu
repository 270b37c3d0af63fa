// The CUDA device as core sees it.
#include "kernels/device.h"

#include <algorithm>

#include "kernels/cuda/allocator.cuh"
#include "kernels/cuda/fill.cuh"
#include "kernels/cuda/gpu/properties.cuh"
#include "kernels/cuda/gpu/gpu.cuh"
#include "kernels/cuda/pinned.cuh"

namespace tapetum::kernels {
namespace {

bool ok(cudaError_t error) { return error == cudaSuccess; }
cudaStream_t stream_at(void* p) { return static_cast<cudaStream_t>(p); }
cudaEvent_t event_at(void* p) { return static_cast<cudaEvent_t>(p); }

// Only devices that can be used: a driver without one, or one that is taken, fails at the first allocation.
int count() {
  static const int found = [] {
    void* data = nullptr;
    int n = 0;
    return ok(cudaGetDeviceCount(&n)) && n > 0 && ok(cudaMalloc(&data, 1)) && ok(cudaFree(data)) ? std::min(n, kMaxDevices) : 0;
  }();
  return found;
}
bool set_current(int device) { return ok(cudaSetDevice(device)); }

// The driver has read pageable memory when it returns; all other copies have to be waited for.
bool copy(void* to, const void* from, size_t bytes, CopyKind kind, bool wait) {
  if (bytes == 0) return true;
  constexpr cudaMemcpyKind kinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice};
  const cudaStream_t stream = stream_at(current_stream());
  if (!ok(cudaMemcpyAsync(to, from, bytes, kinds[static_cast<int>(kind)], stream))) return false;
  const void* host = kind == CopyKind::to_host ? to : from;
  const auto pinned = [&] { return kind != CopyKind::within && is_pinned(host); };
  if (wait) return (kind == CopyKind::to_device && !pinned()) || ok(cudaStreamSynchronize(stream));
  return !pinned() || ok(note_pinned_copy(host, stream));
}
bool synchronize() { return ok(cudaDeviceSynchronize()); }

void* make_stream() {
  cudaStream_t stream = nullptr;
  return ok(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)) ? stream : nullptr;
}
void free_stream(void* stream) { cudaStreamDestroy(stream_at(stream)); }
bool finish(void* stream) { return ok(cudaStreamSynchronize(stream_at(stream))); }

void* make_event(bool timed) {
  cudaEvent_t event = nullptr;
  return ok(cudaEventCreateWithFlags(&event, timed ? cudaEventDefault : cudaEventDisableTiming)) ? event : nullptr;
}
void free_event(void* event) { cudaEventDestroy(event_at(event)); }
bool record(void* event, void* stream) { return ok(cudaEventRecord(event_at(event), stream_at(stream))); }
bool wait(void* stream, void* event) { return ok(cudaStreamWaitEvent(stream_at(stream), event_at(event), 0)); }
bool finish_event(void* event) { return ok(cudaEventSynchronize(event_at(event))); }
// Other threads may do what the capturing one may not.
bool begin_capture(void* stream) { return ok(cudaStreamBeginCapture(stream_at(stream), cudaStreamCaptureModeThreadLocal)); }
void* end_capture(void* stream) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  if (!ok(cudaStreamEndCapture(stream_at(stream), &graph))) return nullptr;
  if (!ok(cudaGraphInstantiate(&exec, graph, 0))) exec = nullptr;
  cudaGraphDestroy(graph);
  return exec;
}
bool launch_graph(void* graph, void* stream) { return ok(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_at(stream))); }
void free_graph(void* graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

bool fill(void* to, const void* element, size_t size, int64_t count) {
  return ok(fill_device(to, element, size, count, stream_at(current_stream())));
}

bool elapsed(void* from, void* to, float* milliseconds) { return ok(cudaEventElapsedTime(milliseconds, event_at(from), event_at(to))); }

}  // namespace

extern const DeviceApi cuda_device;
const DeviceApi cuda_device{.count = count,
                            .emulated = gpu::kEmulated,
                            .set_current = set_current,
                            .allocate = allocate_device,
                            .release = release_device,
                            .memory = device_memory,
                            .blocks = device_blocks,
                            .reset_peak = reset_device_peak,
                            .release_kept = release_cached_device,
                            .allocate_pinned = allocate_pinned,
                            .release_pinned = release_pinned,
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
                            .finish_event = finish_event,
                            .elapsed = elapsed,
                            .begin_capture = begin_capture,
                            .end_capture = end_capture,
                            .launch_graph = launch_graph,
                            .free_graph = free_graph,
                            .open_pool = open_device_pool,
                            .close_pool = close_device_pool,
                            .fill = fill};

}  // namespace tapetum::kernels
