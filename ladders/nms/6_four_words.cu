// Four neighbouring threads have a box's neighbouring words: a warp's masks fill whole sectors, and a row's box is read once for 256 others.
#include "ladders/nms/nms.h"

namespace tapetum::ladders {
namespace {

constexpr int kWords = 4, kThreads = kBits * kWords;

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

__global__ void reduce_kernel(float* kept, Word* gone, const Word* mask, int n, int words) {
  for (int word = 0; word < words; ++word) gone[word] = 0;
  for (int i = 0; i < n; ++i) {
    const bool stays = !(gone[i / kBits] >> i % kBits & 1);
    kept[i] = stays;
    for (int word = i / kBits; stays && word < words; ++word) gone[word] |= mask[int64_t{i} * words + word];
  }
}

cudaError_t launch(float* kept, Word* mask, const float4* boxes, int n) {
  const int words = static_cast<int>(cover(n, kBits));
  const cudaError_t error = gpu::launch<mask_kernel>({.grid = dim3(cover(words, kWords), cover(n, kBits)), .block = kThreads}, mask, boxes, n, words);
  if (error != cudaSuccess) return error;
  return gpu::launch<reduce_kernel>({.grid = 1, .block = 1}, kept, mask + int64_t{n} * words, mask, n, words);
}

const Nms step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
