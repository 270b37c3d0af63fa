#include <algorithm>
#include <cmath>

#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

constexpr size_t kWidth = 64;

int64_t elements(const Sizes& s) { return int64_t{s[0]} * s[1] * kWidth; }

double dot(const float* a, const float* b) {
  double sum = 0;
  for (size_t c = 0; c < kWidth; ++c) sum += static_cast<double>(a[c]) * b[c];
  return sum;
}

std::vector<double> reference(const Sizes& s, const Inputs& x) {
  const size_t n = static_cast<size_t>(s[1]);
  std::vector<double> o(x[0].size()), weight(n);
  for (size_t row = 0; row < o.size() / kWidth; ++row) {
    const size_t first = row / n * n;  // key of the head
    for (size_t j = 0; j < n; ++j) weight[j] = dot(&x[0][row * kWidth], &x[1][(first + j) * kWidth]) / std::sqrt(kWidth);
    const double top = *std::max_element(weight.begin(), weight.end());
    double sum = 0;
    for (double& w : weight) sum += w = std::exp(w - top);
    for (size_t j = 0; j < n; ++j)
      for (size_t c = 0; c < kWidth; ++c) o[row * kWidth + c] += weight[j] / sum * x[2][(first + j) * kWidth + c];
  }
  return o;
}

}  // namespace

extern const Ladder attention;
const Ladder attention{
    .name = "attention",
    .task = "o = softmax(q k^T / 8) v for each head of n queries, keys and values of 64 floats",
    .counted = {1, 256},
    .timed = {64, 4096},
    .tested = {{1, 1}, {2, 3}, {3, 31}, {1, 64}, {2, 65}, {1, 130}},
    .low = -3,  // scores of up to 30: only the running maximum keeps exp below what a float holds
    .high = 3,
    .tolerance = 2e-5,
    .inputs = [](const Sizes& s) { return std::vector(3, elements(s)); },
    .outputs = elements,
    .columns = [](const Sizes&) { return std::vector<int64_t>(4, kWidth); },
    .scratch = [](const Sizes& s) { return int64_t{s[0]} * s[1] * s[1]; },
    .reference = reference,
    .flops = [](const Sizes& s) { return 4.0 * s[0] * s[1] * s[1] * kWidth; },
};

}  // namespace tapetum::ladders
