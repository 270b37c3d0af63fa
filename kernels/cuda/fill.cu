#include "kernels/cuda/fill.cuh"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

template <class T> __global__ void __launch_bounds__(kThreads) fill_threads_kernel(T* to, T element, int64_t count) {
  const int64_t i = thread_number();
  if (i < count) to[i] = element;
}

template <class T> cudaError_t fill(void* to, const void* element, int64_t count, cudaStream_t stream) {
  T value;
  std::memcpy(&value, element, sizeof value);
  const gpu::Launch at{.grid = dim3(blocks_for(count, kThreads)), .block = kThreads, .stream = stream};
  return gpu::launch<fill_threads_kernel<T>>(at, static_cast<T*>(to), value, count);
}

}  // namespace

cudaError_t fill_device(void* to, const void* element, size_t size, int64_t count, cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  const auto* bytes = static_cast<const unsigned char*>(element);
  if (std::all_of(bytes, bytes + size, [&](unsigned char b) { return b == bytes[0]; }))  // zero, in every type
    return cudaMemsetAsync(to, bytes[0], static_cast<size_t>(count) * size, stream);
  switch (size) {
    case 2:
      return fill<uint16_t>(to, element, count, stream);
    case 4:
      return fill<uint32_t>(to, element, count, stream);
    default:
      return fill<uint64_t>(to, element, count, stream);
  }
}

}  // namespace tapetum::kernels
