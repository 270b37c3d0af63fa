// Device memory filled with one element.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {

// `count` copies of the element at host address `element`, which has 1, 2, 4 or 8 bytes.
cudaError_t fill_device(void* to, const void* element, size_t size, int64_t count, cudaStream_t stream);

}  // namespace tapetum::kernels
