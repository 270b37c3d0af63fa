// One process's part of an epoch, where several train together.
#pragma once
#include <memory>
#include <vector>

#include "data/sampler.h"

namespace tapetum::data {

struct DistributedOptions {
  int64_t rank = 0, world = 1;  // this process and how many there are
  bool shuffle = true;
  bool drop_last = false;
  uint64_t seed = 0;  // the same in all processes
};

// Every `world`th index of the common order, beginning at `rank`, as many in each process: PyTorch's. What is missing for that is repeated from
// the beginning of the order; with drop_last the end of the order is left out instead. Throws Error unless 0 <= rank < world.
class DistributedSampler final : public Sampler {
 public:
  DistributedSampler(int64_t count, const DistributedOptions& options);
  DistributedSampler(std::shared_ptr<const Sampler> common, const DistributedOptions& options);  // shuffle and seed are the common sampler's
  std::vector<int64_t> order(int64_t epoch) const override;

 private:
  std::shared_ptr<const Sampler> common_;
  DistributedOptions options_;
};

}  // namespace tapetum::data
