#include "data/weighted_sampler.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace tapetum::data {

WeightedRandomSampler::WeightedRandomSampler(const std::vector<double>& weights, const WeightedOptions& options)
    : weights_(weights), options_(options) {
  for (size_t i = 0; i < weights.size(); ++i)
    if (!(weights[i] >= 0) || !std::isfinite(weights[i]))
      throw Error(fmt::format("weighted_sampler: expected weights of 0 or more, got {} for sample {}", weights[i], i));
  const auto count = static_cast<int64_t>(weights.size());
  const int64_t possible = std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; });
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (possible == 0 || !std::isfinite(sum)) throw Error(fmt::format("weighted_sampler: expected a finite sum of weights above 0, got {}", sum));
  if (options_.num_samples == 0) options_.num_samples = count;
  if (options_.num_samples < 0 || (!options_.replacement && options_.num_samples > possible))
    throw Error(
        fmt::format("weighted_sampler: expected 0 to {} samples without replacement, or any number with, got {}", possible, options_.num_samples));
  if (!options_.replacement) return;

  keep_.assign(weights.size(), 1.0);
  alias_.resize(weights.size());
  std::vector<double> scaled;  // mean 1
  std::vector<int64_t> small, large;
  for (int64_t i = 0; i < count; ++i) {
    scaled.push_back(weights[static_cast<size_t>(i)] / sum * static_cast<double>(count));
    (scaled.back() < 1 ? small : large).push_back(i);
    alias_[static_cast<size_t>(i)] = i;
  }
  // What a small one lacks of its column, a large one fills. In the end either list holds columns that are full but for rounding.
  while (!small.empty() && !large.empty()) {
    const auto s = static_cast<size_t>(small.back()), l = static_cast<size_t>(large.back());
    small.pop_back();
    keep_[s] = scaled[s];
    alias_[s] = large.back();
    scaled[l] -= 1 - scaled[s];
    if (scaled[l] < 1) {
      small.push_back(large.back());
      large.pop_back();
    }
  }
}

std::vector<int64_t> WeightedRandomSampler::order(int64_t epoch) const {
  const RandomStream stream = order_stream(options_.seed, epoch);
  return options_.replacement ? with_replacement(stream) : without_replacement(stream);
}

std::vector<int64_t> WeightedRandomSampler::with_replacement(RandomStream stream) const {
  std::vector<int64_t> drawn;
  for (int64_t i = 0; i < options_.num_samples; ++i) {
    const int64_t column = stream.integer(static_cast<int64_t>(weights_.size()));
    const auto at = static_cast<size_t>(column);
    drawn.push_back(stream.uniform() < keep_[at] ? column : alias_[at]);
  }
  return drawn;
}

// Each index waits for a time drawn from the exponential distribution of its weight: the first to come are the sample, in their order.
std::vector<int64_t> WeightedRandomSampler::without_replacement(RandomStream stream) const {
  std::vector<std::pair<double, int64_t>> arrivals;
  for (size_t i = 0; i < weights_.size(); ++i) {
    const double wait = -std::log1p(-stream.uniform());
    if (weights_[i] > 0) arrivals.emplace_back(wait / weights_[i], static_cast<int64_t>(i));
  }
  std::sort(arrivals.begin(), arrivals.end());
  std::vector<int64_t> drawn;
  for (int64_t i = 0; i < options_.num_samples; ++i) drawn.push_back(arrivals[static_cast<size_t>(i)].second);
  return drawn;
}

std::vector<double> balancing_weights(const std::vector<int64_t>& labels) {
  std::map<int64_t, int64_t> counts;
  for (int64_t label : labels) ++counts[label];
  std::vector<double> weights;
  for (int64_t label : labels) weights.push_back(1 / static_cast<double>(counts[label]));
  return weights;
}

}  // namespace tapetum::data
