// A block strikes together: each box that stays meets the later ones in parallel, and a barrier ends its round.
#include "ladders/nms/nms.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 1024;

__global__ void nms_kernel(float* kept, const float4* boxes, int n) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < n; i += kThreads) kept[i] = 1;
  __syncthreads();
  for (int i = 0; i < n; ++i) {
    if (kept[i] == 0) continue;  // all threads agree
    const float4 mine = boxes[i];
    for (int j = i + 1 + thread; j < n; j += kThreads)
      if (overlap(mine, boxes[j])) kept[j] = 0;
    __syncthreads();
  }
}

cudaError_t launch(float* kept, Word*, const float4* boxes, int n) { return gpu::launch<nms_kernel>({.grid = 1, .block = kThreads}, kept, boxes, n); }

const Nms step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
