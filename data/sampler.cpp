#include "data/sampler.h"

#include <numeric>
#include <utility>

#include "kernels/philox.h"

namespace tapetum::data {
namespace {

enum Purpose : uint64_t { kOrder, kSamples };

// A seed for each (epoch, purpose): streams of different epochs never meet.
uint64_t derived_seed(uint64_t seed, int64_t epoch, Purpose purpose) {
  const auto words = kernels::philox(seed, static_cast<uint64_t>(epoch), purpose);
  return static_cast<uint64_t>(words.at[0]) << 32 | words.at[1];
}

}  // namespace

std::vector<int64_t> permutation(int64_t count, RandomStream stream) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = count - 1; i > 0; --i) std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(stream.integer(i + 1))]);
  return order;
}

std::vector<int64_t> SequentialSampler::order(int64_t) const {
  std::vector<int64_t> order(static_cast<size_t>(count_));
  std::iota(order.begin(), order.end(), int64_t{0});
  return order;
}

std::vector<int64_t> RandomSampler::order(int64_t epoch) const { return permutation(count_, RandomStream(derived_seed(seed_, epoch, kOrder))); }

RandomStream sample_stream(uint64_t seed, int64_t epoch, int64_t index) {
  return RandomStream(derived_seed(seed, epoch, kSamples), static_cast<uint64_t>(index));
}

}  // namespace tapetum::data
