// c [m, n] = a [m, k] b [k, n]; all dense, row by row. On the CPU.
#pragma once
#include "ladders/ladder.h"

namespace tapetum::ladders {

struct CpuGemm : Step {
  CpuGemm(const char* file, void (*multiply)(float* c, const float* a, const float* b, int m, int n, int k))
      : Step(file, [multiply](const Arrays& x) { return multiply(x.y, x.x[0], x.x[1], x.sizes[0], x.sizes[1], x.sizes[2]), true; }) {}
};

}  // namespace tapetum::ladders
