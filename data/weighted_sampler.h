// Samples by weight: rare classes as often as frequent ones.
#pragma once
#include <vector>

#include "data/sampler.h"

namespace tapetum::data {

struct WeightedOptions {
  int64_t num_samples = 0;  // in an epoch; 0: as many as there are weights
  bool replacement = true;
  uint64_t seed = 0;
};

// Index i is drawn with a probability in proportion to weights[i]. With replacement by Walker's alias method as Vose (1991) builds it; without, as
// if drawn one after the other (Efraimidis and Spirakis, 2006). Throws Error for weights that are negative, not finite or all zero, and for
// more samples without replacement than there are weights above zero.
class WeightedRandomSampler final : public Sampler {
 public:
  explicit WeightedRandomSampler(const std::vector<double>& weights, const WeightedOptions& options = {});
  std::vector<int64_t> order(int64_t epoch) const override;

 private:
  std::vector<int64_t> with_replacement(RandomStream stream) const;
  std::vector<int64_t> without_replacement(RandomStream stream) const;
  std::vector<double> weights_;
  WeightedOptions options_;
  std::vector<double> keep_;    // of each column of the alias table: the chance of its own index
  std::vector<int64_t> alias_;  // and the other one
};

// For each sample one over the size of its class: every class is then drawn equally often.
std::vector<double> balancing_weights(const std::vector<int64_t>& labels);

}  // namespace tapetum::data
