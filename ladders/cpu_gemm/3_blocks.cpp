// The same loops over blocks of b, 64 x 256, which stay in the cache while all rows of a pass: memory sends each block once, not m times.
#include <algorithm>

#include "ladders/cpu_gemm/cpu_gemm.h"

namespace tapetum::ladders {
namespace {

constexpr int kDepth = 64, kColumns = 256;  // 64 KB, in L2; a piece of a row of c, 1 KB, in L1

void multiply(float* c, const float* a, const float* b, int m, int n, int k) {
  std::fill(c, c + m * n, 0.0f);
  for (int left = 0; left < n; left += kColumns)
    for (int top = 0; top < k; top += kDepth) {
      const int columns = std::min(kColumns, n - left), end = std::min(top + kDepth, k);
      for (int i = 0; i < m; ++i) {
        float* out = c + i * n + left;
        for (int l = top; l < end; ++l) {
          const float x = a[i * k + l], *row = b + l * n + left;
          for (int j = 0; j < columns; ++j) out[j] += x * row[j];
        }
      }
    }
}

const CpuGemm step(__FILE__, multiply);

}  // namespace
}  // namespace tapetum::ladders
