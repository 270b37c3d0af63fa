#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

int64_t elements(const Sizes& s) { return int64_t{s[0]} * s[1]; }

std::vector<double> reference(const Sizes& s, const Inputs& inputs) {
  const size_t rows = static_cast<size_t>(s[0]), columns = static_cast<size_t>(s[1]);
  const std::vector<float>& x = inputs[0];
  std::vector<double> y(x.size());
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) y[j * rows + i] = x[i * columns + j];
  return y;
}

}  // namespace

extern const Ladder transpose;
const Ladder transpose{
    .name = "transpose",
    .task = "y[j][i] = x[i][j]",
    .counted = {512, 512},
    .timed = {8192, 8192},
    .tested = {{1, 1}, {1, 70}, {70, 1}, {31, 33}, {32, 32}, {100, 36}, {64, 130}, {129, 65}},
    .low = -1,
    .high = 1,
    .tolerance = 0,
    .inputs = [](const Sizes& s) { return std::vector{elements(s)}; },
    .outputs = elements,
    .columns =
        [](const Sizes& s) {
          return std::vector<int64_t>{s[1], s[0]};
        },
    .scratch = nullptr,
    .reference = reference,
};

}  // namespace tapetum::ladders
