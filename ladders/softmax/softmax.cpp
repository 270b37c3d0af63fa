#include <algorithm>
#include <cmath>

#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

int64_t elements(const Sizes& s) { return int64_t{s[0]} * s[1]; }

std::vector<double> reference(const Sizes& s, const Inputs& inputs) {
  const size_t length = static_cast<size_t>(s[1]);
  const std::vector<float>& x = inputs[0];
  std::vector<double> y(x.size());
  for (size_t begin = 0; begin < x.size(); begin += length) {
    double top = x[begin], sum = 0;
    for (size_t i = begin; i < begin + length; ++i) top = std::max<double>(top, x[i]);
    for (size_t i = begin; i < begin + length; ++i) sum += y[i] = std::exp(x[i] - top);
    for (size_t i = begin; i < begin + length; ++i) y[i] /= sum;
  }
  return y;
}

}  // namespace

extern const Ladder softmax;
const Ladder softmax{
    .name = "softmax",
    .task = "y[i] = exp(x[i] - max) / sum(exp(x - max)), row by row",
    .counted = {256, 1024},
    .timed = {65536, 1024},
    .tested = {{1, 1}, {5, 3}, {33, 31}, {3, 257}, {2, 1000}, {40, 64}, {2, 1024}, {3, 2052}, {1, 5003}},
    .low = -100,  // exp(100) is more than a float holds
    .high = 100,
    .tolerance = 1e-5,
    .inputs = [](const Sizes& s) { return std::vector{elements(s)}; },
    .outputs = elements,
    .columns =
        [](const Sizes& s) {
          return std::vector<int64_t>{s[1], s[1]};
        },
    .scratch = nullptr,
    .reference = reference,
};

}  // namespace tapetum::ladders
