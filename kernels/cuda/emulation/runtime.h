// Host-side half of the emulator: the part of the CUDA runtime API the library uses, plus controls.
#pragma once
#include "types.h"
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#if defined(CUDAEMU_USE_CUDA_HEADERS)
#include <cuda_runtime_api.h>   // the emulator then is a fake libcudart
#else
enum cudaError_t : int {
  cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2, cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidResourceHandle = 400, cudaErrorNotReady = 600, cudaErrorIllegalAddress = 700,
  cudaErrorLaunchOutOfResources = 701, cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice, cudaMemcpyDefault };
using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
inline constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2;

const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
cudaError_t cudaMalloc(void** p, size_t n);
cudaError_t cudaFree(void* p);
cudaError_t cudaMallocHost(void** p, size_t n);
cudaError_t cudaFreeHost(void* p);
cudaError_t cudaMemcpy(void* d, const void* s, size_t n, cudaMemcpyKind k);
cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t n, cudaMemcpyKind k, cudaStream_t st = nullptr);
cudaError_t cudaMemset(void* d, int v, size_t n);
cudaError_t cudaMemsetAsync(void* d, int v, size_t n, cudaStream_t st = nullptr);
cudaError_t cudaStreamCreate(cudaStream_t* s);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamSynchronize(cudaStream_t s);
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags = 0);
cudaError_t cudaEventCreate(cudaEvent_t* e);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t e);
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t e);
cudaError_t cudaEventQuery(cudaEvent_t e);
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b);
cudaError_t cudaDeviceSynchronize();
#endif
template <class T> cudaError_t cudaMalloc(T** p, size_t n) { return cudaMalloc(reinterpret_cast<void**>(p), n); }
template <class T> cudaError_t cudaMemcpyToSymbol(T& sym, const void* src, size_t n, size_t off = 0) {
  std::memcpy(reinterpret_cast<char*>(&sym) + off, src, n);
  return cudaSuccess;
}

namespace emu {
enum class Schedule { forward, reverse, random };
struct Config {
  Schedule schedule = Schedule::forward;   // CUDAEMU_SCHED=forward|reverse|random[:seed]
  unsigned seed = 1;
  unsigned threads = 0;                    // CUDAEMU_THREADS, 0 = hardware; always 1 under ASan/TSan
  bool lazy_async = true;                  // CUDAEMU_ASYNC=lazy|eager: cp.async/TMA/wgmma complete as late as allowed
  bool lazy_streams = false;               // CUDAEMU_STREAMS=lazy|eager: stream work runs only at a synchronisation
  bool poison_shared = true;               // CUDAEMU_POISON=0|1: NaN-fill shared memory before each block, device memory at cudaMalloc
  bool guard_device_memory = false;        // CUDAEMU_GUARD=1: host access to device memory faults
  bool abort_on_error = false;             // CUDAEMU_ABORT=1: abort() where a kernel error is diagnosed (for gdb)
  bool quiet = false;
  size_t stack_bytes = 0;                  // 0 = 64 KiB (256 KiB under sanitizers)
  double watchdog_seconds = 20;            // give up on a block whose threads only spin
};
Config& config();
const std::string& last_diagnostic();      // text of the last kernel error
void clear_error();

struct LaunchDesc {
  dim3 grid, block;
  size_t smem = 0;
  cudaStream_t stream = nullptr;
  std::string_view name;
  void (*invoke)(void*) = nullptr;         // runs the kernel body for the current CUDA thread
  std::shared_ptr<void> args;
};
cudaError_t launch(LaunchDesc d);

template <class> struct KernelTraits;
template <class... P> struct KernelTraits<void (*)(P...)> { using Pack = std::tuple<std::decay_t<P>...>; };
template <auto K> constexpr std::string_view kernel_name() {
  std::string_view s = __PRETTY_FUNCTION__;
  const auto a = s.find("K = ");
  if (a == s.npos) return s;
  s.remove_prefix(a + 4);
  const auto e = s.rfind("; std::string_view");
  s = s.substr(0, e != s.npos ? e : s.rfind(']'));
  return s;
}
}  // namespace emu
