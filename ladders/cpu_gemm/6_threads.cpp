// A panel and the rows that it meets are a unit of work, and no unit writes what another one does: as many at once as there are cores.
#include <algorithm>
#include <vector>

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"
#include "ladders/cpu_gemm/cpu_gemm.h"

namespace tapetum::ladders {
namespace {

using V = kernels::Vec<float>;
constexpr int kLanes = V::lanes, kColumns = 2 * kLanes, kRows = kLanes == 16 ? 12 : 6;  // of 32 registers, or of 16

// Elements of c, `rows` high and at most kColumns wide.
template <int rows> void multiply_tile(float* c, const float* a, const float* panel, int columns, int n, int k) {
  V sums[rows][2];
  for (auto& s : sums) s[0] = s[1] = V(0.0f);
  for (int l = 0; l < k; ++l, panel += kColumns) {
    const V b0 = V::load(panel), b1 = V::load(panel + kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const V x(a[i * k + l]);
      sums[i][0] = sums[i][0] + x * b0;
      sums[i][1] = sums[i][1] + x * b1;
    }
  }
  const int first = std::min(columns, kLanes);
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
    sums[i][0].store(c + i * n, first);
    sums[i][1].store(c + i * n + first, columns - first);
  }
}

void multiply(float* c, const float* a, const float* b, int m, int n, int k) {
  kernels::parallel_ranges(n, kColumns, [=](int64_t j, int64_t end) {
    std::vector<float> panel(static_cast<size_t>(k) * kColumns);  // zeros beyond the last column
    const int columns = static_cast<int>(end - j);
    for (int l = 0; l < k; ++l) std::copy_n(b + l * n + j, columns, &panel[static_cast<size_t>(l) * kColumns]);
    int i = 0;
    for (; i + kRows <= m; i += kRows) multiply_tile<kRows>(c + i * n + j, a + i * k, panel.data(), columns, n, k);
    for (; i < m; ++i) multiply_tile<1>(c + i * n + j, a + i * k, panel.data(), columns, n, k);
  });
}

const CpuGemm step(__FILE__, multiply);

}  // namespace
}  // namespace tapetum::ladders
