#include <algorithm>

#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

// Sizes are {n, c, k, h, w}.
int64_t pixels(const Sizes& s) { return int64_t{s[0]} * s[3] * s[4]; }

int64_t scratch(const Sizes& s) {
  const int64_t c = s[1], k = s[2], tiles = int64_t{s[0]} * cover(s[3], 2) * cover(s[4], 2) + 3;  // of 2 x 2 outputs, and what fills the last four
  return std::max(9 * c * pixels(s), 16 * (c * k + tiles * (c + k)));
}

std::vector<double> reference(const Sizes& sizes, const Inputs& x) {
  const int n = sizes[0], c = sizes[1], k = sizes[2], h = sizes[3], w = sizes[4];
  std::vector<double> y;
  const auto pixel = [&](int image, int channel, int i, int j) {
    return i < 0 || i >= h || j < 0 || j >= w ? 0.0 : x[0][static_cast<size_t>(((image * c + channel) * h + i) * w + j)];
  };
  const auto sum = [&](int image, int filter, int i, int j) {
    double total = 0;
    for (int e = 0; e < 9 * c; ++e) total += pixel(image, e / 9, i + e / 3 % 3 - 1, j + e % 3 - 1) * x[1][static_cast<size_t>(filter * 9 * c + e)];
    return total;
  };
  for (int image = 0; image < n; ++image)
    for (int filter = 0; filter < k; ++filter)
      for (int i = 0; i < h; ++i)
        for (int j = 0; j < w; ++j) y.push_back(sum(image, filter, i, j));
  return y;
}

}  // namespace

extern const Ladder convolution;
const Ladder convolution{
    .name = "convolution",
    .task = "y[k] = sum over c of x[c] * f[k][c], filters of 3 x 3, images of n x c to k x h x w",
    .counted = {1, 16, 64, 16, 32},
    .timed = {32, 128, 128, 56, 56},
    .tested = {{1, 1, 1, 1, 1}, {2, 3, 5, 7, 6}, {2, 9, 8, 9, 36}, {1, 17, 66, 5, 33}},
    .low = -1,
    .high = 1,
    .tolerance = 1e-5,
    .inputs =
        [](const Sizes& s) {
          return std::vector{pixels(s) * s[1], int64_t{9} * s[1] * s[2]};
        },
    .outputs = [](const Sizes& s) { return pixels(s) * s[2]; },
    .columns =
        [](const Sizes& s) {
          return std::vector<int64_t>{s[4], 9, s[4]};
        },
    .scratch = scratch,
    .reference = reference,
    .flops = [](const Sizes& s) { return 2.0 * 9 * s[1] * static_cast<double>(pixels(s)) * s[2]; },
    .vendor = "conv2d_forward:cudnn",
};

}  // namespace tapetum::ladders
