// Errors, streams and events of the runtime API.
#include "kernels/cuda/emulation/streams.h"
#include <chrono>
#include <deque>
#include <set>
#include <utility>
#include "kernels/cuda/emulation/config.h"

struct CUstream_st {
  int device = 0;
  std::deque<std::function<void()>> queue;
  bool running = false;
};
struct CUevent_st {
  unsigned long recorded = 0, done = 0;
  double milliseconds = 0;
  cudaStream_t stream = nullptr;
};

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
  static Runtime& r = *new Runtime;
  return r;
}

cudaStream_t resolve(cudaStream_t s) { return s ? s : &runtime().null_stream; }

double now_milliseconds() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

std::unique_lock<std::recursive_mutex> lock_runtime() { return std::unique_lock(runtime().mutex); }

cudaError_t set_error(cudaError_t error) {
  if (error != cudaSuccess) runtime().error = error;
  return error;
}
cudaError_t current_error() { return runtime().error; }
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

// The default stream and the others wait for each other: CUDA's legacy rule.
void submit(cudaStream_t stream, std::function<void()> work) {
  cudaStream_t s = resolve(stream), null_stream = resolve(nullptr);
  if (s != null_stream)
    finish_stream(null_stream);
  else
    for (cudaStream_t other : runtime().streams)
      if (other != s) finish_stream(other);
  s->queue.push_back(std::move(work));
  if (!config().lazy_streams) finish_stream(s);
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
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) {
  const auto lock = lock_runtime();
  *s = new CUstream_st;
  cudaGetDevice(&(*s)->device);
  runtime().streams.insert(*s);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  const auto lock = lock_runtime();
  finish_stream(s);
  runtime().streams.erase(s);
  delete s;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  const auto lock = lock_runtime();
  finish_stream(s);
  return current_error();
}
cudaError_t cudaDeviceSynchronize() {
  const auto lock = lock_runtime();
  finish_all();
  return current_error();
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
  const unsigned long id = ++e->recorded;
  submit(s, [e, id] {
    e->done = id;
    e->milliseconds = now_milliseconds();
  });
  return current_error();
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  const auto lock = lock_runtime();
  const unsigned long id = e->recorded;
  const cudaStream_t from = e->stream;
  submit(s, [=] {
    if (e->done < id) finish_stream(from);
  });
  return current_error();
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  const auto lock = lock_runtime();
  if (e->done < e->recorded) finish_stream(e->stream);
  return current_error();
}
cudaError_t cudaEventQuery(cudaEvent_t e) {
  const auto lock = lock_runtime();
  return e->done < e->recorded ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t a, cudaEvent_t b) {
  const auto lock = lock_runtime();
  *milliseconds = static_cast<float>(b->milliseconds - a->milliseconds);
  return cudaSuccess;
}
