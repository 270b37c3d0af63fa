// Sums stay in registers for the whole depth, 12 rows of 2 vectors with AVX-512: 24 multiply-adds for 2 vectors of b, and c is written once.
#include <algorithm>

#include "kernels/cpu/vec.h"
#include "ladders/cpu_gemm/cpu_gemm.h"

namespace tapetum::ladders {
namespace {

using V = kernels::Vec<float>;
constexpr int kLanes = V::lanes, kColumns = 2 * kLanes, kRows = kLanes == 16 ? 12 : 6;  // of 32 registers, or of 16

// Elements of c, `rows` high and at most kColumns wide.
template <int rows> void multiply_tile(float* c, const float* a, const float* b, int columns, int n, int k) {
  V sums[rows][2];
  for (auto& s : sums) s[0] = s[1] = V(0.0f);
  const int first = std::min(columns, kLanes), second = columns - first;
  for (int l = 0; l < k; ++l, b += n) {
    const V b0 = V::load(b, first), b1 = V::load(b + first, second);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const V x(a[i * k + l]);
      sums[i][0] = sums[i][0] + x * b0;
      sums[i][1] = sums[i][1] + x * b1;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
    sums[i][0].store(c + i * n, first);
    sums[i][1].store(c + i * n + first, second);
  }
}

void multiply(float* c, const float* a, const float* b, int m, int n, int k) {
  for (int j = 0; j < n; j += kColumns) {
    const int columns = std::min(kColumns, n - j);
    int i = 0;
    for (; i + kRows <= m; i += kRows) multiply_tile<kRows>(c + i * n + j, a + i * k, b + j, columns, n, k);
    for (; i < m; ++i) multiply_tile<1>(c + i * n + j, a + i * k, b + j, columns, n, k);
  }
}

const CpuGemm step(__FILE__, multiply);

}  // namespace
}  // namespace tapetum::ladders
