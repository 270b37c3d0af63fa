// The tensors of one optimizer call as launches take them: their pointers lie on the host and travel as kernel parameters, as many as fit;
// a block of threads takes kBlock elements of one tensor.
#pragma once
#include "kernels/cuda/launch.cuh"
#include "kernels/optimizer.h"

namespace tapetum::kernels {
namespace {

constexpr int kItems = 4, kBlock = kThreads * kItems;
constexpr int kTensors = 60;

struct Chunk {
  OptimizerTensor tensor[kTensors];
  int64_t first_block[kTensors + 1];  // of each tensor, and the number of all
  int64_t tensors;
};
static_assert(sizeof(Chunk) <= 4096 - 128, "a launch has 4 KB of parameters");

// f(chunk) for each chunk of the tensors, in their order.
template <class Args, class F> Status for_each_chunk(const Args& a, F f) {
  for (int64_t first = 0; first < a.shape.tensors; first += kTensors) {
    Chunk chunk{};
    for (; chunk.tensors < kTensors && first + chunk.tensors < a.shape.tensors; ++chunk.tensors) {
      const OptimizerTensor& t = a.tensors[first + chunk.tensors];
      chunk.tensor[chunk.tensors] = t;
      chunk.first_block[chunk.tensors + 1] = chunk.first_block[chunk.tensors] + blocks_for(t.count, kBlock);
    }
    if (const Status s = f(chunk); s != Status::ok) return s;
  }
  return Status::ok;
}
inline unsigned blocks_of(const Chunk& chunk) { return static_cast<unsigned>(chunk.first_block[chunk.tensors]); }

// What one block of threads works on.
struct Part {
  const OptimizerTensor& tensor;
  int64_t begin, end;
};
__device__ inline Part part_of(const Chunk& chunk, int64_t block) {
  int64_t low = 0, high = chunk.tensors;  // first_block[low] <= block < first_block[high]
  while (high - low > 1) (chunk.first_block[(low + high) / 2] <= block ? low : high) = (low + high) / 2;
  const OptimizerTensor& t = chunk.tensor[low];
  const int64_t begin = (block - chunk.first_block[low]) * kBlock;
  return {t, begin, begin + kBlock < t.count ? begin + kBlock : t.count};
}

}  // namespace
}  // namespace tapetum::kernels
