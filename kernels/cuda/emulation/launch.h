// How gpu::launch hands a kernel to the emulator.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include "kernels/cuda/emulation/runtime.h"
#include "kernels/cuda/emulation/vector_types.h"

namespace tapetum::emulation {

struct LaunchDesc {
  dim3 grid, block;
  size_t smem = 0;
  cudaStream_t stream = nullptr;
  std::string_view name;
  void (*invoke)(void*) = nullptr;  // runs the kernel's body for the current CUDA thread
  std::shared_ptr<void> args;
};
cudaError_t launch(LaunchDesc d);
// Runs the grid now, on this thread and on the pool. Returns what went wrong; empty: nothing.
std::string run_grid(const LaunchDesc& d);

template <class> struct KernelTraits;
template <class... P> struct KernelTraits<void (*)(P...)> { using Pack = std::tuple<std::decay_t<P>...>; };

// "... [auto K = softmax_kernel<float>; std::string_view = ...]"
template <auto K> constexpr std::string_view kernel_name() {
  std::string_view s = __PRETTY_FUNCTION__;
  const auto begin = s.find("K = ");
  if (begin == s.npos) return s;
  s.remove_prefix(begin + 4);
  const auto end = s.rfind("; std::string_view");
  return s.substr(0, end != s.npos ? end : s.rfind(']'));
}

}  // namespace tapetum::emulation
