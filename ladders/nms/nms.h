// kept[i] = 1 where box i stays, 0 where it is struck. Boxes [n] are (x1, y1, x2, y2), the best first: each that stays strikes all later ones that
// overlap it, by more than half of what both cover.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::ladders {

using Word = unsigned long long;
constexpr int kBits = 64;

struct Nms : Step {
  // `mask` has room for a bit for each pair, in rows of whole words, and for a row and a column more of such words.
  Nms(const char* file, cudaError_t (*launch)(float* kept, Word* mask, const float4* boxes, int n))
      : Step(file, [launch](const Arrays& a) {
          return launch(a.y, reinterpret_cast<Word*>(a.scratch), reinterpret_cast<const float4*>(a.x[0]), a.sizes[0]) == cudaSuccess;
        }) {}
};

__device__ inline float area(float4 box) { return (box.z - box.x) * (box.w - box.y); }
__device__ inline bool overlap(float4 a, float4 b) {
  const float width = fmaxf(fminf(a.z, b.z) - fmaxf(a.x, b.x), 0), height = fmaxf(fminf(a.w, b.w) - fmaxf(a.y, b.y), 0);
  const float shared = width * height;
  return 2 * shared > area(a) + area(b) - shared;
}

}  // namespace tapetum::ladders
