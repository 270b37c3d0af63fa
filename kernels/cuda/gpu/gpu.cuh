// The one header that every kernel file includes: the CUDA toolkit under nvcc, the emulator under a plain C++20 compiler.
#pragma once
#include <cstdint>
#include <cstddef>
#include <memory>
#include <utility>
#if defined(__CUDACC__)
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#else
#include "kernels/cuda/emulation/device.h"
#endif

namespace gpu {

struct Launch {
  dim3 grid, block;
  size_t smem = 0;  // bytes of dynamic shared memory
  cudaStream_t stream = nullptr;
};

// `const T GPU_IN_PLACE x`: a parameter that all threads read where the launch has put it, however large; no thread has a copy.
#if defined(__CUDACC__)
#define GPU_IN_PLACE __grid_constant__
#else
#define GPU_IN_PLACE &
#endif

// gpu::launch<kernel<float, 256>>({.grid = 8, .block = 256}, arguments...). The kernel is a template argument, so the emulator
// knows its name and can inline it.

#if defined(__CUDACC__)
namespace detail {
template <class> struct Invoker;
template <class... P> struct Invoker<void (*)(P...)> {
  template <class... A> static cudaError_t go(void (*k)(P...), const Launch& l, A&&... a) {
    if (l.smem > 48 * 1024) {
      cudaError_t e = cudaFuncSetAttribute(k, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(l.smem));
      if (e != cudaSuccess) return e;
    }
    cudaLaunchConfig_t c{};
    c.gridDim = l.grid;
    c.blockDim = l.block;
    c.dynamicSmemBytes = l.smem;
    c.stream = l.stream;
    return cudaLaunchKernelEx(&c, k, static_cast<P>(std::forward<A>(a))...);
  }
};
}  // namespace detail
template <auto K, class... A> cudaError_t launch(const Launch& l, A&&... a) { return detail::Invoker<decltype(K)>::go(K, l, std::forward<A>(a)...); }
#else
namespace emulation = tapetum::emulation;
template <auto K, class... A> cudaError_t launch(const Launch& l, A&&... a) {
  using Pack = typename emulation::KernelTraits<decltype(K)>::Pack;
  emulation::LaunchDesc d;
  d.grid = l.grid;
  d.block = l.block;
  d.smem = l.smem;
  d.stream = l.stream;
  d.name = emulation::kernel_name<K>();
  d.args = std::make_shared<Pack>(std::forward<A>(a)...);
  d.invoke = [](void* p) { std::apply([](auto&... x) { K(x...); }, *static_cast<Pack*>(p)); };
  return emulation::launch(std::move(d));
}
#endif

// Dynamic shared memory of the launch, aligned to 1024 bytes. (A bare `extern __shared__ T s[]` cannot be emulated.)
#if defined(__CUDACC__)
template <class T = unsigned char> __device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(1024) unsigned char gpu_dynamic_shared_raw[];
  return reinterpret_cast<T*>(gpu_dynamic_shared_raw);
}
#else
template <class T = unsigned char> T* dynamic_shared(emulation::Loc at = emulation::here()) {
  return static_cast<T*>(emulation::dynamic_shared_base(at));
}
#endif

}  // namespace gpu
