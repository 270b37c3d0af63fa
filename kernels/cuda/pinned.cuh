// Page-locked host memory, kept for reuse because the system takes long to lock pages. A block is given out again when the copies that
// read or wrote it are done.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {

void* allocate_pinned(size_t bytes);  // null when there is none. Thread-safe.
void release_pinned(void* data);
bool is_pinned(const void* data);                                 // or inside such a block
cudaError_t note_pinned_copy(const void* data, cudaStream_t on);  // a copy that was put on the stream just now, from or to it

}  // namespace tapetum::kernels
