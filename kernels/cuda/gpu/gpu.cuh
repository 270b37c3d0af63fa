// The one header every kernel file includes. nvcc: the CUDA toolkit. Plain C++20 compiler: the emulator.
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
#include "../emulation/device.h"
#include "../emulation/runtime.h"
#endif

namespace gpu {

struct Launch {
  dim3 grid, block;
  size_t smem = 0;                 // dynamic shared memory, bytes
  cudaStream_t stream = nullptr;
};

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
template <auto K, class... A> cudaError_t launch(const Launch& l, A&&... a) {
  return detail::Invoker<decltype(K)>::go(K, l, std::forward<A>(a)...);
}
#else
template <auto K, class... A> cudaError_t launch(const Launch& l, A&&... a) {
  using Pack = typename emu::KernelTraits<decltype(K)>::Pack;
  emu::LaunchDesc d;
  d.grid = l.grid;
  d.block = l.block;
  d.smem = l.smem;
  d.stream = l.stream;
  d.name = emu::kernel_name<K>();
  d.args = std::make_shared<Pack>(std::forward<A>(a)...);
  d.invoke = [](void* p) { std::apply([](auto&... x) { K(x...); }, *static_cast<Pack*>(p)); };
  return emu::launch(std::move(d));
}
#endif

// Dynamic shared memory of the launch. (A bare `extern __shared__ T s[]` cannot be emulated.)
template <class T = unsigned char> __device__ __forceinline__ T* dynamic_shared() {
#if defined(__CUDACC__)
  extern __shared__ __align__(1024) unsigned char gpu_dynamic_shared_raw[];
  return reinterpret_cast<T*>(gpu_dynamic_shared_raw);
#else
  return static_cast<T*>(emu::dynamic_shared_base(1024, emu::Loc{__builtin_FILE(), __builtin_LINE()}));
#endif
}

}  // namespace gpu
