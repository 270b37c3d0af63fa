// o = softmax(q k^T / sqrt(kWidth)) v, head by head; q, k, v and o are [heads, n, kWidth], dense.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::ladders {

constexpr int kWidth = 64;         // of a query, a key, a value
constexpr float kScale = 1 / 8.f;  // 1 / sqrt(kWidth)

struct Attention : Step {
  // `scores` has room for [heads, n, n].
  Attention(const char* file, cudaError_t (*launch)(float* o, float* scores, const float* q, const float* k, const float* v, int heads, int n))
      : Step(file, [launch](const Arrays& a) { return launch(a.y, a.scratch, a.x[0], a.x[1], a.x[2], a.sizes[0], a.sizes[1]) == cudaSuccess; }) {}
};

}  // namespace tapetum::ladders
