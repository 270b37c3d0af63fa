#include "data/sampler.h"

#include <numeric>
#include <utility>

namespace tapetum::data {
namespace {

// A seed for each epoch and purpose: their streams never meet.
enum Purpose : uint64_t { kOrder, kSamples };
uint64_t epoch_seed(uint64_t seed, int64_t epoch, Purpose purpose) { return derived_seed(seed, static_cast<uint64_t>(epoch), purpose); }

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

std::vector<int64_t> RandomSampler::order(int64_t epoch) const { return permutation(count_, order_stream(seed_, epoch)); }

RandomStream order_stream(uint64_t seed, int64_t epoch) { return RandomStream(epoch_seed(seed, epoch, kOrder)); }

RandomStream sample_stream(uint64_t seed, int64_t epoch, int64_t index) {
  return RandomStream(epoch_seed(seed, epoch, kSamples), static_cast<uint64_t>(index));
}

}  // namespace tapetum::data
