// 64 boxes at a time: every thread settles them from shared memory, then all warps strike for those that stay. n / 64 waits for memory, not n.
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
  __shared__ Word strikes[kBits];  // of 64 boxes among themselves
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp;
  for (int word = thread; word < words; word += kThreads) gone[word] = 0;
  for (int word = 0; word < words; ++word) {
    const int first = word * kBits, count = min(n - first, kBits);
    const Word* rows = mask + int64_t{first} * words;
    if (thread < count) strikes[thread] = rows[thread * words + word];
    __syncthreads();
    Word here = gone[word], stay = 0;
    for (int i = 0; i < count; ++i) {
      if (here >> i & 1) continue;
      stay |= Word{1} << i;
      here |= strikes[i];
    }
    if (thread < count) kept[first + thread] = stay >> thread & 1;
    for (int later = word + 1 + lane; later < words; later += kWarp) {
      Word struck = 0;
      for (int i = thread / kWarp; i < count; i += kThreads / kWarp)
        if (stay >> i & 1) struck |= rows[i * words + later];
      if (struck) atomicOr(&gone[later], struck);
    }
    __syncthreads();
  }
}

cudaError_t launch(float* kept, Word* mask, const float4* boxes, int n) {
  const int words = static_cast<int>(cover(n, kBits));
  const cudaError_t error = gpu::launch<mask_kernel>({.grid = dim3(cover(words, kWords), cover(n, kBits)), .block = kThreads}, mask, boxes, n, words);
  if (error != cudaSuccess) return error;
  return gpu::launch<reduce_kernel>({.grid = 1, .block = kThreads, .smem = sizeof(Word) * words}, kept, mask, n, words);
}

const Nms step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
