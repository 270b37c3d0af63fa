// What every .cu file needs besides gpu.cuh.
#pragma once
#include "kernels/candidates.h"
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {

inline Status status_of(cudaError_t error) { return error == cudaSuccess ? Status::ok : Status::device_error; }
inline cudaStream_t stream_of(const Workspace& workspace) { return static_cast<cudaStream_t>(workspace.queue.stream); }
// Blocks of `per_block` items that cover `items`; at most what a grid's x dimension holds.
inline unsigned blocks_for(int64_t items, int64_t per_block) { return static_cast<unsigned>((items + per_block - 1) / per_block); }

constexpr int kThreads = 256;  // of a block, unless a kernel needs another number

// `each` neighbouring threads for each of `items`.
inline gpu::Launch launch_threads(int64_t items, const Workspace& w, int each = 1) {
  return {.grid = dim3(blocks_for(items, kThreads / each)), .block = kThreads, .stream = stream_of(w)};
}
__device__ inline int64_t thread_number() { return blockIdx.x * int64_t{kThreads} + threadIdx.x; }

}  // namespace tapetum::kernels
