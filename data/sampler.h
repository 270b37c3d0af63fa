// In which order an epoch visits a data set, and where each sample's randomness comes from: functions of (seed, epoch, index) alone.
#pragma once
#include <cstdint>
#include <vector>

#include "core/random.h"

namespace tapetum::data {

struct Sampler {
  virtual ~Sampler() = default;
  virtual std::vector<int64_t> order(int64_t epoch) const = 0;  // indices of the data set; repeats and omissions are allowed
};

class SequentialSampler final : public Sampler {
 public:
  explicit SequentialSampler(int64_t count) : count_(count) {}
  std::vector<int64_t> order(int64_t epoch) const override;

 private:
  int64_t count_;
};

// Another permutation for each epoch (Fisher and Yates's shuffle, from a Philox stream).
class RandomSampler final : public Sampler {
 public:
  RandomSampler(int64_t count, uint64_t seed) : count_(count), seed_(seed) {}
  std::vector<int64_t> order(int64_t epoch) const override;

 private:
  int64_t count_;
  uint64_t seed_;
};

std::vector<int64_t> permutation(int64_t count, RandomStream stream);
RandomStream order_stream(uint64_t seed, int64_t epoch);                  // for the order of one epoch
RandomStream sample_stream(uint64_t seed, int64_t epoch, int64_t index);  // for the augmentation of one sample in one epoch

}  // namespace tapetum::data
