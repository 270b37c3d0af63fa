// Batches in which every class is present as often as it should be.
#pragma once
#include <vector>

#include "data/sampler.h"

namespace tapetum::data {

enum class BatchShares {
  natural,  // each class as often as in the whole set; an epoch visits every sample once
  equal     // all classes equally often; small ones are repeated, each sample as often as the others of its class, to within one
};

// In every batch the samples of a class are its share rounded down or up (natural: its share of what the epoch has not visited yet), which of
// the two by chance, in proportion. An epoch has as many samples as there are labels. `batch_size` must be the loader's; a last, smaller
// batch has the shares too.
class StratifiedSampler final : public Sampler {
 public:
  StratifiedSampler(const std::vector<int64_t>& labels, int64_t batch_size, uint64_t seed, BatchShares shares = BatchShares::natural);
  std::vector<int64_t> order(int64_t epoch) const override;

 private:
  int64_t count_, batch_size_;
  uint64_t seed_;
  BatchShares shares_;
  std::vector<std::vector<int64_t>> members_;  // indices of each class that occurs
};

}  // namespace tapetum::data
