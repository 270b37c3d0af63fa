// Whether two boxes overlap depends on no other box: all blocks find all pairs first, a bit each (torchvision). One thread then walks the bits.
#include "ladders/nms/nms.h"

namespace tapetum::ladders {
namespace {

// A thread makes a word: which of 64 boxes overlap its own. Bits of the box itself and of better ones do no harm: these are decided.
__global__ void mask_kernel(Word* mask, const float4* boxes, int n) {
  const int row = static_cast<int>(blockIdx.y * kBits + threadIdx.x), word = static_cast<int>(blockIdx.x);
  if (row >= n) return;
  const float4 mine = boxes[row];
  Word bits = 0;
  for (int j = 0; j < kBits && word * kBits + j < n; ++j) bits |= static_cast<Word>(overlap(mine, boxes[word * kBits + j])) << j;
  mask[int64_t{row} * gridDim.x + word] = bits;
}

__global__ void reduce_kernel(float* kept, Word* gone, const Word* mask, int n, int words) {
  for (int word = 0; word < words; ++word) gone[word] = 0;
  for (int i = 0; i < n; ++i) {
    const bool stays = !(gone[i / kBits] >> i % kBits & 1);
    kept[i] = stays;
    for (int word = i / kBits; stays && word < words; ++word) gone[word] |= mask[int64_t{i} * words + word];
  }
}

cudaError_t launch(float* kept, Word* mask, const float4* boxes, int n) {
  const unsigned words = cover(n, kBits);
  const cudaError_t error = gpu::launch<mask_kernel>({.grid = dim3(words, words), .block = kBits}, mask, boxes, n);
  if (error != cudaSuccess) return error;
  return gpu::launch<reduce_kernel>({.grid = 1, .block = 1}, kept, mask + int64_t{n} * words, mask, n, words);
}

const Nms step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
