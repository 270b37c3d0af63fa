// Two loops change places: the inner one goes along rows of b and c, whole cache lines at a time, and the compiler makes vectors of it.
#include <algorithm>

#include "ladders/cpu_gemm/cpu_gemm.h"

namespace tapetum::ladders {
namespace {

void multiply(float* c, const float* a, const float* b, int m, int n, int k) {
  for (int i = 0; i < m; ++i, a += k, c += n) {
    std::fill(c, c + n, 0.0f);
    for (int l = 0; l < k; ++l) {
      const float x = a[l], *row = b + l * n;
      for (int j = 0; j < n; ++j) c[j] += x * row[j];
    }
  }
}

const CpuGemm step(__FILE__, multiply);

}  // namespace
}  // namespace tapetum::ladders
