#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

std::vector<double> reference(const Sizes& sizes, const Inputs& inputs) {
  const int h = sizes[0], w = sizes[1], c = sizes[2], k = sizes[3];
  std::vector<double> y(static_cast<size_t>(h * w * k));
  for (int pixel = 0; pixel < h * w; ++pixel)
    for (int tap = 0; tap < 9; ++tap) {
      const int i = pixel / w + tap / 3 - 1, j = pixel % w + tap % 3 - 1;
      if (i < 0 || i >= h || j < 0 || j >= w) continue;
      for (int q = 0; q < c; ++q)
        for (int o = 0; o < k; ++o) {
          const float x = inputs[0][static_cast<size_t>((i * w + j) * c + q)], f = inputs[1][static_cast<size_t>((tap * c + q) * k + o)];
          y[static_cast<size_t>(pixel * k + o)] += static_cast<double>(x) * static_cast<double>(f);
        }
    }
  return y;
}

}  // namespace

extern const Ladder cpu_conv;
const Ladder cpu_conv{
    .name = "cpu_conv",
    .task = "y[i][j][k] = sum over r, s, c of x[i + r - 1][j + s - 1][c] filter[r][s][c][k]: 3 x 3",
    .device = DeviceKind::cpu,
    .counted = {},
    .timed = {112, 112, 64, 64},  // h, w, c, k
    .tested =
        {{1, 1, 1, 1}, {3, 5, 1, 1}, {7, 9, 3, 5}, {4, 33, 2, 9}, {6, 6, 17, 13}, {8, 8, 4, 64}, {13, 31, 5, 8}, {12, 10, 16, 40}, {21, 23, 33, 35}},
    .low = -1,
    .high = 1,
    .tolerance = 1e-5,
    .inputs =
        [](const Sizes& s) {
          return std::vector{int64_t{s[0]} * s[1] * s[2], int64_t{9} * s[2] * s[3]};
        },
    .outputs = [](const Sizes& s) { return int64_t{s[0]} * s[1] * s[3]; },
    .scratch = nullptr,
    .reference = reference,
    .flops = [](const Sizes& s) { return 18.0 * s[0] * s[1] * s[2] * s[3]; },  // of the definition
};

}  // namespace tapetum::ladders
