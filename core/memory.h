// How much memory tensors take, in bytes, and host memory that a GPU reads by itself.
#pragma once
#include "core/tensor.h"

namespace tapetum {

size_t memory_allocated(Device device = {});  // by tensors and workspaces that are alive
size_t peak_memory(Device device = {});       // the greatest memory_allocated() since the start, or the last reset
size_t memory_reserved(Device device = {});   // what the process keeps, in use or for reuse
void reset_peak_memory(Device device = {});
void release_memory(Device device = {});      // gives back to the system what is kept for reuse
std::string held_memory(Device device = {});  // in words: how much tensors hold, in which blocks, and what is kept for reuse

// A copy of x, a CPU tensor, in page-locked host memory (x itself if it lies there): to(x, "cuda", true) then returns before the copy is
// done. Throws DeviceError without a CUDA device.
Tensor pin_memory(const Tensor& x);
bool is_pinned(const Tensor& x);

}  // namespace tapetum
