// A warp walks the bits: the words of a row are struck in parallel, in shared memory, and only the 64 boxes at hand are followed one by one.
#include "ladders/nms/nms.h"

namespace tapetum::ladders {
namespace {

constexpr int kWarp = 32, kWords = 4, kThreads = kBits * kWords;

__global__ void mask_kernel(Word* mask, const float4* boxes, int n, int words) {
  const int thread = static_cast<int>(threadIdx.x), part = thread % kWords;
  const int row = static_cast<int>(blockIdx.y) * kBits + thread / kWords, first = static_cast<int>(blockIdx.x) * kWords, word = first + part;
  if (first + kWords <= static_cast<int>(blockIdx.y)) return;
  __shared__ float4 columns[kWords][kBits + 1];  // four boxes that a warp reads at once lie in different banks
  if (first * kBits + thread < n) columns[thread / kBits][thread % kBits] = boxes[first * kBits + thread];
  __syncthreads();
  if (row >= n || word >= words) return;
  const float4 mine = boxes[row];
  Word bits = 0;
  for (int j = 0; j < kBits && word * kBits + j < n; ++j) bits |= static_cast<Word>(overlap(mine, columns[part][j])) << j;
  mask[int64_t{row} * words + word] = bits;
}

__global__ void reduce_kernel(float* kept, const Word* mask, int n, int words) {
  Word* gone = gpu::dynamic_shared<Word>();
  const int lane = static_cast<int>(threadIdx.x);
  for (int word = lane; word < words; word += kWarp) gone[word] = 0;
  for (int word = 0; word < words; ++word) {
    __syncwarp();
    Word here = gone[word];  // every lane follows these 64 boxes for itself
    for (int i = word * kBits; i < n && i < (word + 1) * kBits; ++i) {
      const bool stays = !(here >> i % kBits & 1);
      if (lane == 0) kept[i] = stays;
      if (!stays) continue;
      here |= mask[int64_t{i} * words + word];
      for (int later = word + 1 + lane; later < words; later += kWarp) gone[later] |= mask[int64_t{i} * words + later];
    }
  }
}

cudaError_t launch(float* kept, Word* mask, const float4* boxes, int n) {
  const int words = static_cast<int>(cover(n, kBits));
  const cudaError_t error = gpu::launch<mask_kernel>({.grid = dim3(cover(words, kWords), cover(n, kBits)), .block = kThreads}, mask, boxes, n, words);
  if (error != cudaSuccess) return error;
  return gpu::launch<reduce_kernel>({.grid = 1, .block = kWarp, .smem = sizeof(Word) * words}, kept, mask, n, words);
}

const Nms step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
