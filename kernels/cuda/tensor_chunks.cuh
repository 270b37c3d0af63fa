// The tensors of one optimizer call as launches take them; a block of threads takes kBlock elements of one tensor. Pointers travel as kernel
// parameters: gradients are new tensors at each step, so a table in device memory would be written again each time, and by a captured
// graph never. Parameters are part of the launch, in a graph too.
#pragma once
#include "kernels/cuda/launch.cuh"
#include "kernels/optimizer.h"

namespace tapetum::kernels {
namespace {

constexpr int kItems = 4, kBlock = kThreads * kItems;
// A launch has 4 KB of parameters everywhere, and 32764 bytes since CUDA 12.1: few tensors need not pay for what a long list does.
constexpr int kFew = 60, kMany = 500;

template <int kTensors> struct Chunk {
  OptimizerTensor tensor[kTensors];
  int64_t first_block[kTensors + 1];  // of each tensor, and the number of all
  int64_t tensors;
};
static_assert(sizeof(Chunk<kFew>) <= 4096 - 128 && sizeof(Chunk<kMany>) <= 32764 - 128);

template <int kTensors, class Args, class F> Status for_each_chunk_of(const Args& a, F f) {
  for (int64_t first = 0; first < a.shape.tensors; first += kTensors) {
    Chunk<kTensors> chunk{};
    for (; chunk.tensors < kTensors && first + chunk.tensors < a.shape.tensors; ++chunk.tensors) {
      const OptimizerTensor& t = a.tensors[first + chunk.tensors];
      chunk.tensor[chunk.tensors] = t;
      chunk.first_block[chunk.tensors + 1] = chunk.first_block[chunk.tensors] + blocks_for(t.count, kBlock);
    }
    if (const Status s = f(chunk); s != Status::ok) return s;
  }
  return Status::ok;
}
// f(chunk) for each chunk of the tensors, in their order.
template <class Args, class F> Status for_each_chunk(const Args& a, F f) {
  return a.shape.tensors <= kFew ? for_each_chunk_of<kFew>(a, f) : for_each_chunk_of<kMany>(a, f);
}
template <int n> unsigned blocks_of(const Chunk<n>& chunk) { return static_cast<unsigned>(chunk.first_block[chunk.tensors]); }

// What one block of threads works on.
struct Part {
  const OptimizerTensor& tensor;
  int64_t begin, end;
};
template <int n> __device__ Part part_of(const Chunk<n>& chunk, int64_t block) {
  int64_t low = 0, high = chunk.tensors;  // first_block[low] <= block < first_block[high]
  while (high - low > 1) (chunk.first_block[(low + high) / 2] <= block ? low : high) = (low + high) / 2;
  const OptimizerTensor& t = chunk.tensor[low];
  const int64_t begin = (block - chunk.first_block[low]) * kBlock;
  return {t, begin, begin + kBlock < t.count ? begin + kBlock : t.count};
}

// Whether a step is to change nothing. What an average does is never left out.
template <class Args> __device__ bool left_out(const Args& a) {
  if constexpr (requires { a.found_inf; })
    return a.found_inf && *a.found_inf != 0;
  else
    return false;
}

}  // namespace
}  // namespace tapetum::kernels
