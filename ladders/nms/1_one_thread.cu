// The definition, by one thread: from the best box on, whoever stays strikes the later ones that overlap it.
#include "ladders/nms/nms.h"

namespace tapetum::ladders {
namespace {

__global__ void nms_kernel(float* kept, const float4* boxes, int n) {
  for (int i = 0; i < n; ++i) kept[i] = 1;
  for (int i = 0; i < n; ++i) {
    if (kept[i] == 0) continue;
    const float4 mine = boxes[i];
    for (int j = i + 1; j < n; ++j)
      if (overlap(mine, boxes[j])) kept[j] = 0;
  }
}

cudaError_t launch(float* kept, Word*, const float4* boxes, int n) { return gpu::launch<nms_kernel>({.grid = 1, .block = 1}, kept, boxes, n); }

const Nms step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
