#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

std::vector<double> reference(const Sizes& s, const Inputs& inputs) {
  const size_t m = static_cast<size_t>(s[0]), n = static_cast<size_t>(s[1]), k = static_cast<size_t>(s[2]);
  std::vector<double> c(m * n);
  for (size_t i = 0; i < m; ++i)
    for (size_t l = 0; l < k; ++l)
      for (size_t j = 0; j < n; ++j) c[i * n + j] += static_cast<double>(inputs[0][i * k + l]) * static_cast<double>(inputs[1][l * n + j]);
  return c;
}

}  // namespace

extern const Ladder gemm;
const Ladder gemm{
    .name = "gemm",
    .task = "c[i][j] = a[i][0] b[0][j] + ... + a[i][k - 1] b[k - 1][j]",
    .counted = {256, 256, 128},  // m, n, k
    .timed = {2048, 2048, 2048},
    .tested = {{1, 1, 1}, {1, 7, 3}, {5, 3, 257}, {33, 31, 5}, {64, 64, 64}, {65, 130, 17}, {129, 127, 33}, {132, 260, 20}, {3, 300, 12}},
    .low = -1,
    .high = 1,
    .tolerance = 5e-5,  // products of TF32 numbers, with 11 bits of each, would be off by 2e-4
    .inputs =
        [](const Sizes& s) {
          return std::vector{int64_t{s[0]} * s[2], int64_t{s[2]} * s[1]};
        },
    .outputs = [](const Sizes& s) { return int64_t{s[0]} * s[1]; },
    .columns =
        [](const Sizes& s) {
          return std::vector<int64_t>{s[2], s[1], s[1]};
        },
    .scratch = nullptr,
    .reference = reference,
    .flops = [](const Sizes& s) { return 2.0 * s[0] * s[1] * s[2]; },
    .vendor = "matmul_forward:cublas",
};

extern const Ladder cpu_gemm;
const Ladder cpu_gemm = [] {
  Ladder same = gemm;
  same.name = "cpu_gemm";
  same.device = DeviceKind::cpu;
  same.timed = {960, 960, 960};
  return same;
}();

}  // namespace tapetum::ladders
