// The 64 boxes of a word come to shared memory once for the 64 threads that meet them.
#include "ladders/nms/nms.h"

namespace tapetum::ladders {
namespace {

__global__ void mask_kernel(Word* mask, const float4* boxes, int n) {
  __shared__ float4 columns[kBits];
  const int thread = static_cast<int>(threadIdx.x), row = static_cast<int>(blockIdx.y) * kBits + thread, word = static_cast<int>(blockIdx.x);
  if (word * kBits + thread < n) columns[thread] = boxes[word * kBits + thread];
  __syncthreads();
  if (row >= n) return;
  const float4 mine = boxes[row];
  Word bits = 0;
  for (int j = 0; j < kBits && word * kBits + j < n; ++j) bits |= static_cast<Word>(overlap(mine, columns[j])) << j;
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
