#include "data/dataset.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/sampler.h"

namespace tapetum::data {

std::pair<std::vector<int64_t>, std::vector<int64_t>> split_indices(int64_t count, double fraction, uint64_t seed) {
  if (!(fraction > 0 && fraction < 1) || count < 2)
    throw ShapeError(fmt::format("split: expected a fraction between 0 and 1 and two samples or more, got {} of {}", fraction, count));
  std::vector<int64_t> order = permutation(count, RandomStream(seed));
  const int64_t held_out = std::clamp<int64_t>(std::llround(fraction * static_cast<double>(count)), 1, count - 1);
  std::vector<int64_t> second(order.end() - held_out, order.end());
  order.resize(static_cast<size_t>(count - held_out));
  std::sort(order.begin(), order.end());
  std::sort(second.begin(), second.end());
  return {order, second};
}

}  // namespace tapetum::data
