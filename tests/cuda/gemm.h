// A small product in double, and matrices for it.
#pragma once
#include <random>
#include <vector>

#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::test {

inline std::vector<float> normal(size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> values(n);
  for (float& v : values) v = distribution(generator);
  return values;
}

// c[m, n] = a[m, k] b, where b is [k, n] or, transposed, [n, k].
inline std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, int m, int n, int k, bool b_transposed = false) {
  std::vector<float> c(static_cast<size_t>(m * n));
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int p = 0; p < k; ++p) sum += double{a[i * k + p]} * b[b_transposed ? j * k + p : p * n + j];
      c[i * n + j] = static_cast<float>(sum);
    }
  return c;
}

inline std::vector<__nv_bfloat16> as_bf16(const std::vector<float>& values) { return {values.begin(), values.end()}; }
inline std::vector<float> as_float(const std::vector<__nv_bfloat16>& values) { return {values.begin(), values.end()}; }

inline float greatest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float most = 0;
  for (size_t i = 0; i < a.size(); ++i)
    if (const float d = std::fabs(a[i] - b[i]); !(d <= most)) most = d;  // NaN stays
  return most;
}

}  // namespace tapetum::test
