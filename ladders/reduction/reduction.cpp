#include "ladders/ladder.h"

namespace tapetum::ladders {
namespace {

std::vector<double> reference(const Sizes&, const Inputs& x) {
  double sum = 0;
  for (float v : x[0]) sum += v;
  return {sum};
}

}  // namespace

extern const Ladder reduction;
const Ladder reduction{
    .name = "reduction",
    .task = "y[0] = x[0] + x[1] + ... + x[n - 1]",
    .counted = {1 << 18},
    .timed = {1 << 28},
    .tested = {{1}, {3}, {31}, {255}, {256}, {257}, {1000}, {4096}, {70001}},
    .low = 0,
    .high = 1,
    .tolerance = 1e-5,
    .inputs = [](const Sizes& s) { return std::vector{int64_t{s[0]}}; },
    .outputs = [](const Sizes&) { return int64_t{1}; },
    .columns =
        [](const Sizes&) {
          return std::vector<int64_t>{512, 1};
        },
    .scratch = [](const Sizes& s) { return (int64_t{s[0]} + 255) / 256; },
    .reference = reference,
};

}  // namespace tapetum::ladders
