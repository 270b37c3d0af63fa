#include "data/distributed_sampler.h"

#include <fmt/core.h>

#include "core/error.h"

namespace tapetum::data {
namespace {

std::shared_ptr<const Sampler> common_order(int64_t count, const DistributedOptions& o) {
  if (o.shuffle) return std::make_shared<RandomSampler>(count, o.seed);
  return std::make_shared<SequentialSampler>(count);
}

}  // namespace

DistributedSampler::DistributedSampler(int64_t count, const DistributedOptions& options)
    : DistributedSampler(common_order(count, options), options) {}

DistributedSampler::DistributedSampler(std::shared_ptr<const Sampler> common, const DistributedOptions& options)
    : common_(std::move(common)), options_(options) {
  if (options.rank < 0 || options.rank >= options.world)
    throw Error(fmt::format("distributed_sampler: expected a rank below {} processes, got {}", options.world, options.rank));
}

std::vector<int64_t> DistributedSampler::order(int64_t epoch) const {
  const std::vector<int64_t> all = common_->order(epoch);
  const auto count = static_cast<int64_t>(all.size());
  if (count == 0) return {};
  const int64_t each = options_.drop_last ? count / options_.world : (count + options_.world - 1) / options_.world;
  std::vector<int64_t> mine;
  for (int64_t i = 0; i < each; ++i) mine.push_back(all[static_cast<size_t>((i * options_.world + options_.rank) % count)]);
  return mine;
}

}  // namespace tapetum::data
