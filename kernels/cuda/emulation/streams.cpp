// Errors, streams and events of the runtime API.
#include "kernels/cuda/emulation/streams.h"
#include <chrono>
#include <utility>
#include "kernels/cuda/emulation/capture.h"
#include "kernels/cuda/emulation/config.h"
#include "kernels/cuda/emulation/sanitizers.h"

namespace tapetum::emulation {
namespace {

struct Runtime {
  std::recursive_mutex mutex;
  cudaError_t error = cudaSuccess;
  std::string diagnostic;
  CUstream_st null_stream;
  std::set<cudaStream_t> streams{&null_stream};
};
Runtime& runtime() {  // never destroyed: tensors with static storage are freed after main
  static char made;   // for TSan, which does not see how this file's static variables are guarded
  static Runtime& r = [&]() -> Runtime& {
    auto* first = new Runtime;
    tsan_release(&made);
    return *first;
  }();
  tsan_acquire(&made);
  return r;
}

double now_milliseconds() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

cudaStream_t resolve(cudaStream_t s) { return s ? s : &runtime().null_stream; }

std::unique_lock<std::recursive_mutex> lock_runtime() { return std::unique_lock(runtime().mutex); }

cudaError_t set_error(cudaError_t error) {
  if (error != cudaSuccess) runtime().error = error;
  return error;
}
cudaError_t current_error() { return runtime().error; }
cudaError_t sticky_error() { return runtime().error == cudaErrorLaunchFailure ? cudaErrorLaunchFailure : cudaSuccess; }
void set_diagnostic(std::string text) { runtime().diagnostic = std::move(text); }
const std::string& last_diagnostic() { return runtime().diagnostic; }
void clear_error() {
  runtime().error = cudaSuccess;
  runtime().diagnostic.clear();
}

void finish_stream(cudaStream_t stream) {
  CUstream_st& s = *resolve(stream);
  if (std::exchange(s.running, true)) return;  // its own work waits for an event
  while (!s.queue.empty()) {
    const auto work = std::move(s.queue.front());
    s.queue.pop_front();
    work();
  }
  s.running = false;
}

bool is_of_current_device(cudaStream_t stream) {
  int device = 0;
  cudaGetDevice(&device);
  return !stream || stream->device == device;
}

void finish_all() {
  for (cudaStream_t s : runtime().streams) finish_stream(s);
}

// The default stream and the others wait for each other, unless made with cudaStreamNonBlocking: CUDA's legacy rule.
cudaError_t submit(cudaStream_t stream, std::function<void()> work) {
  cudaStream_t s = resolve(stream), null_stream = resolve(nullptr);
  if (s->capture) return capture_work(*s->capture, *s, std::move(work));
  if (s != null_stream) {
    if (s->waits_for_null) finish_stream(null_stream);
  } else {
    if (const cudaError_t error = check_null_stream(); error != cudaSuccess) return error;
    for (cudaStream_t other : runtime().streams)
      if (other != s && other->waits_for_null) finish_stream(other);
  }
  s->queue.push_back(std::move(work));
  if (!config().lazy_streams) finish_stream(s);
  return sticky_error();
}

}  // namespace tapetum::emulation

using namespace tapetum::emulation;

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorIllegalState:
      return "the operation cannot be performed in the present state";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    case cudaErrorStreamCaptureMerge:
      return "operation would result in a merge of separate capture sequences";
    case cudaErrorStreamCaptureUnmatched:
      return "capture was not ended in the same stream as it began";
    case cudaErrorStreamCaptureUnjoined:
      return "capturing stream has unjoined work";
    case cudaErrorStreamCaptureIsolation:
      return "dependency created on uncaptured work in another stream";
    case cudaErrorStreamCaptureImplicit:
      return "operation would make the legacy stream depend on a capturing blocking stream";
    case cudaErrorCapturedEvent:
      return "operation not permitted on an event last recorded in a capturing stream";
    case cudaErrorStreamCaptureWrongThread:
      return "attempt to terminate a thread-local capture sequence from another thread";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    default:
      return "unknown error";
  }
}
cudaError_t cudaGetLastError() {
  const auto lock = lock_runtime();
  const cudaError_t error = current_error();
  if (error != cudaErrorLaunchFailure) runtime().error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() {
  const auto lock = lock_runtime();
  return current_error();
}

cudaError_t cudaStreamCreate(cudaStream_t* s) { return cudaStreamCreateWithFlags(s, 0); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned flags) {
  const auto lock = lock_runtime();
  *s = new CUstream_st;
  cudaGetDevice(&(*s)->device);
  (*s)->waits_for_null = !(flags & cudaStreamNonBlocking);
  runtime().streams.insert(*s);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_wait("cudaStreamDestroy", s); error != cudaSuccess) return error;
  finish_stream(s);
  runtime().streams.erase(s);
  delete s;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_wait("cudaStreamSynchronize", s); error != cudaSuccess) return error;
  finish_stream(s);
  return sticky_error();
}
cudaError_t cudaDeviceSynchronize() {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_unsafe_call("cudaDeviceSynchronize"); error != cudaSuccess) return error;
  finish_all();
  return sticky_error();
}

cudaError_t cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, 0); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  const auto lock = lock_runtime();
  finish_all();
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  const auto lock = lock_runtime();
  if (!is_of_current_device(s)) return set_error(cudaErrorInvalidResourceHandle);
  e->stream = resolve(s);
  e->captured = false;
  if (e->stream->capture) return capture_record(e, *e->stream);
  const unsigned long id = ++e->recorded;
  return submit(s, [e, id] {
    e->done = id;
    e->milliseconds = now_milliseconds();
  });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  const auto lock = lock_runtime();
  if (e->captured || resolve(s)->capture) return capture_wait(*resolve(s), e);
  const unsigned long id = e->recorded;
  const cudaStream_t from = e->stream;
  return submit(s, [=] {
    if (e->done < id) finish_stream(from);
  });
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_wait("cudaEventSynchronize", e); error != cudaSuccess) return error;
  if (e->done < e->recorded) finish_stream(e->stream);
  return sticky_error();
}
cudaError_t cudaEventQuery(cudaEvent_t e) {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_wait("cudaEventQuery", e); error != cudaSuccess) return error;
  return e->done < e->recorded ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t a, cudaEvent_t b) {
  const auto lock = lock_runtime();
  *milliseconds = static_cast<float>(b->milliseconds - a->milliseconds);
  return cudaSuccess;
}
