#include "data/stratified_sampler.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"

namespace tapetum::data {
namespace {

void shuffle(std::vector<int64_t>& values, RandomStream& stream) {
  for (auto i = static_cast<int64_t>(values.size()) - 1; i > 0; --i)
    std::swap(values[static_cast<size_t>(i)], values[static_cast<size_t>(stream.integer(i + 1))]);
}

// The samples of one class in random order, over and over.
struct Deck {
  std::vector<int64_t> cards;
  size_t dealt = 0;
  int64_t deal(RandomStream& stream) {
    if (dealt == cards.size()) {
      shuffle(cards, stream);
      dealt = 0;
    }
    return cards[dealt++];
  }
};

// `total` places for classes in proportion to their weights, in whole numbers: each gets its quota rounded down or up. Systematic sampling: the
// classes' quotas lie end to end on a line, and one random offset sets a mark in every unit of it.
std::vector<int64_t> quotas(int64_t total, const std::vector<int64_t>& weights, RandomStream& stream) {
  int64_t sum = 0, before = 0;
  for (int64_t w : weights) sum += w;
  const int64_t offset = stream.integer(sum);
  const auto marks_below = [&](int64_t weight) {  // marks at offset, offset + sum, ... in units of 1 / sum
    const int64_t place = weight * total;
    return place <= offset ? 0 : (place - offset - 1) / sum + 1;
  };
  std::vector<int64_t> counts;
  for (int64_t w : weights) {
    counts.push_back(marks_below(before + w) - marks_below(before));
    before += w;
  }
  return counts;
}

}  // namespace

StratifiedSampler::StratifiedSampler(const std::vector<int64_t>& labels, int64_t batch_size, uint64_t seed, BatchShares shares)
    : count_(static_cast<int64_t>(labels.size())), batch_size_(batch_size), seed_(seed), shares_(shares) {
  if (batch_size < 1) throw Error(fmt::format("stratified_sampler: expected a batch size of 1 or more, got {}", batch_size));
  std::map<int64_t, std::vector<int64_t>> by_label;
  for (int64_t i = 0; i < count_; ++i) by_label[labels[static_cast<size_t>(i)]].push_back(i);
  for (auto& [label, indices] : by_label) members_.push_back(std::move(indices));
}

std::vector<int64_t> StratifiedSampler::order(int64_t epoch) const {
  RandomStream stream = order_stream(seed_, epoch);
  std::vector<Deck> decks;
  std::vector<int64_t> weights;
  for (const auto& indices : members_) {
    decks.push_back({indices, indices.size()});
    weights.push_back(shares_ == BatchShares::natural ? static_cast<int64_t>(indices.size()) : 1);
  }
  std::vector<int64_t> order;
  while (static_cast<int64_t>(order.size()) < count_) {
    const int64_t size = std::min(batch_size_, count_ - static_cast<int64_t>(order.size()));
    const std::vector<int64_t> counts = quotas(size, weights, stream);
    std::vector<int64_t> batch;
    for (size_t c = 0; c < decks.size(); ++c) {
      for (int64_t i = 0; i < counts[c]; ++i) batch.push_back(decks[c].deal(stream));
      if (shares_ == BatchShares::natural) weights[c] -= counts[c];
    }
    shuffle(batch, stream);
    order.insert(order.end(), batch.begin(), batch.end());
  }
  return order;
}

}  // namespace tapetum::data
