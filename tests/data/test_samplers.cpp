#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/ops/creation.h"
#include "data/concat.h"
#include "data/distributed_sampler.h"
#include "data/in_memory.h"
#include "data/loader.h"
#include "data/split.h"
#include "data/stratified_sampler.h"
#include "data/tensor_dataset.h"
#include "data/weighted_sampler.h"

namespace tapetum::data {
namespace {

std::vector<int64_t> range(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

std::vector<int64_t> sorted(std::vector<int64_t> v) {
  std::sort(v.begin(), v.end());
  return v;
}

// Labels of classes with so many samples each, mixed up.
std::vector<int64_t> labels_of(std::vector<int64_t> counts) {
  std::vector<int64_t> labels;
  for (size_t c = 0; c < counts.size(); ++c) labels.insert(labels.end(), static_cast<size_t>(counts[c]), static_cast<int64_t>(c));
  std::vector<int64_t> mixed;
  for (int64_t i : permutation(static_cast<int64_t>(labels.size()), RandomStream(9))) mixed.push_back(labels[static_cast<size_t>(i)]);
  return mixed;
}

int64_t count_of(const std::vector<int64_t>& indices, const std::vector<int64_t>& labels, int64_t label) {
  return std::count_if(indices.begin(), indices.end(), [&](int64_t i) { return labels[static_cast<size_t>(i)] == label; });
}

void require_function_of_epoch(const Sampler& sampler) {
  REQUIRE(sampler.order(3) == sampler.order(3));
  REQUIRE(sampler.order(0) != sampler.order(1));
}

bool partition(const Parts& parts, int64_t count) {
  std::vector<int64_t> all;
  for (const auto& p : parts) {
    if (!std::is_sorted(p.begin(), p.end())) return false;
    all.insert(all.end(), p.begin(), p.end());
  }
  return sorted(all) == range(count);
}

TensorDataset numbers(const std::vector<int64_t>& labels) {
  const auto n = static_cast<int64_t>(labels.size());
  Tensor label = empty({n}, DType::i64);
  std::copy(labels.begin(), labels.end(), label.mutable_data<int64_t>());
  return {zeros({n, 2, 2, 1}, DType::u8), label};
}

}  // namespace

TEST_CASE("weighted sampler: draws in proportion to the weights") {
  const std::vector<double> weights{1, 0, 5, 0.5, 3.5};
  const WeightedRandomSampler sampler(weights, {.num_samples = 40'000, .seed = 1});
  require_function_of_epoch(sampler);
  std::map<int64_t, int64_t> seen;
  for (int64_t i : sampler.order(0)) ++seen[i];
  REQUIRE(seen[1] == 0);
  for (int64_t i : {0, 2, 3, 4}) {
    const double p = weights[static_cast<size_t>(i)] / 10, deviation = std::sqrt(40'000 * p * (1 - p));
    REQUIRE(std::abs(static_cast<double>(seen[i]) - 40'000 * p) < 4 * deviation);
  }
  REQUIRE(WeightedRandomSampler({0, 0, 3}).order(0) == std::vector<int64_t>{2, 2, 2});
}

TEST_CASE("weighted sampler: without replacement, each index once, the heavy ones first") {
  const std::vector<double> weights{1, 2, 0, 7};
  const WeightedRandomSampler sampler(weights, {.num_samples = 2, .replacement = false, .seed = 2});
  require_function_of_epoch(WeightedRandomSampler(std::vector<double>(50, 1.0), {.replacement = false}));
  std::map<std::pair<int64_t, int64_t>, int> pairs;
  const int rounds = 20'000;
  for (int epoch = 0; epoch < rounds; ++epoch) {
    const auto drawn = sampler.order(epoch);
    REQUIRE((drawn.size() == 2 && drawn[0] != drawn[1]));
    ++pairs[{drawn[0], drawn[1]}];
  }
  for (int64_t a : {0, 1, 3})
    for (int64_t b : {0, 1, 3}) {
      if (a == b) continue;
      const double first = weights[static_cast<size_t>(a)] / 10, p = first * weights[static_cast<size_t>(b)] / (10 - weights[static_cast<size_t>(a)]);
      REQUIRE(std::abs(pairs[{a, b}] / static_cast<double>(rounds) - p) < 4 * std::sqrt(p * (1 - p) / rounds));
    }
  REQUIRE(sorted(WeightedRandomSampler({1, 1, 1}, {.replacement = false}).order(0)) == range(3));
}

TEST_CASE("weighted sampler: refuses weights that mean nothing") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(WeightedRandomSampler({1, -1}), Catch::Contains("got -1 for sample 1"));
  for (std::vector<double> bad : {std::vector<double>{}, {0, 0}, {1, nan}, {1, inf}, {1e308, 1e308}})
    REQUIRE_THROWS_AS(WeightedRandomSampler(bad), Error);
  REQUIRE_THROWS_WITH(WeightedRandomSampler({1, 0, 1}, {.num_samples = 3, .replacement = false}), Catch::Contains("0 to 2 samples"));
  REQUIRE_THROWS_AS(WeightedRandomSampler({1}, {.num_samples = -1}), Error);
}

TEST_CASE("weighted sampler: balancing weights draw every class equally often") {
  const auto labels = labels_of({900, 90, 10});
  const auto drawn = WeightedRandomSampler(balancing_weights(labels), {.num_samples = 9000}).order(0);
  for (int64_t c : {0, 1, 2}) REQUIRE(std::abs(count_of(drawn, labels, c) - 3000) < 180);  // four deviations
}

TEST_CASE("stratified sampler: batches with each class's share, and every sample once") {
  const std::vector<int64_t> counts{503, 251, 120, 7, 1};
  const auto labels = labels_of(counts);
  const StratifiedSampler sampler(labels, 32, 4);
  require_function_of_epoch(sampler);
  double early = 0;  // samples of the rare class in the first half: they must not gather at an end
  for (int epoch = 0; epoch < 40; ++epoch) {
    const auto order = sampler.order(epoch);
    REQUIRE(sorted(order) == range(882));
    early += static_cast<double>(count_of({order.begin(), order.begin() + 441}, labels, 3));
    for (size_t at = 0; at + 32 <= order.size(); at += 32)
      for (int64_t c = 0; c < 5; ++c) {
        const double share = 32 * static_cast<double>(counts[static_cast<size_t>(c)]) / 882;
        const auto here =
            static_cast<double>(count_of({order.begin() + static_cast<int64_t>(at), order.begin() + static_cast<int64_t>(at) + 32}, labels, c));
        REQUIRE(std::abs(here - share) < 3);
      }
  }
  REQUIRE(std::abs(early / 40 - 3.5) < 0.8);
}

TEST_CASE("stratified sampler: equal shares repeat the small classes evenly") {
  const auto labels = labels_of({300, 60, 6});
  const StratifiedSampler sampler(labels, 10, 4, BatchShares::equal);
  require_function_of_epoch(sampler);
  const auto order = sampler.order(0);
  REQUIRE(order.size() == 366);
  std::map<int64_t, int64_t> seen;
  for (size_t at = 0; at < order.size(); at += 10)
    for (int64_t c = 0; c < 3; ++c) {
      const auto end = std::min(at + 10, order.size());
      const int64_t here = count_of({order.begin() + static_cast<int64_t>(at), order.begin() + static_cast<int64_t>(end)}, labels, c);
      REQUIRE((here >= static_cast<int64_t>(end - at) / 3 && here <= static_cast<int64_t>(end - at) / 3 + 1));
    }
  for (int64_t i : order) ++seen[i];
  for (const auto& [index, times] : seen)
    if (labels[static_cast<size_t>(index)] == 2) REQUIRE((times >= 18 && times <= 23));
  REQUIRE(StratifiedSampler({}, 4, 0).order(0).empty());
  REQUIRE_THROWS_AS(StratifiedSampler({0}, 0, 0), Error);
}

TEST_CASE("distributed sampler: PyTorch's parts, padded or cut") {
  const auto part = [](int64_t count, int64_t rank, int64_t world, bool drop_last) {
    return DistributedSampler(count, {.rank = rank, .world = world, .shuffle = false, .drop_last = drop_last}).order(0);
  };
  // torch.utils.data.DistributedSampler(range(10), 4, rank, shuffle=False, drop_last=...)
  REQUIRE(part(10, 0, 4, false) == std::vector<int64_t>{0, 4, 8});
  REQUIRE(part(10, 2, 4, false) == std::vector<int64_t>{2, 6, 0});
  REQUIRE(part(10, 3, 4, false) == std::vector<int64_t>{3, 7, 1});
  REQUIRE(part(10, 1, 4, true) == std::vector<int64_t>{1, 5});
  REQUIRE(part(2, 4, 5, false) == std::vector<int64_t>{0});
  REQUIRE(part(2, 0, 5, true).empty());
  REQUIRE(part(0, 0, 2, false).empty());
  std::vector<int64_t> together;
  for (int64_t rank = 0; rank < 3; ++rank) {
    const DistributedSampler sampler(12, {.rank = rank, .world = 3, .seed = 5});
    require_function_of_epoch(sampler);
    const auto mine = sampler.order(7);
    together.insert(together.end(), mine.begin(), mine.end());
  }
  REQUIRE(sorted(together) == range(12));
  const auto common = std::make_shared<WeightedRandomSampler>(std::vector<double>{0, 1, 0}, WeightedOptions{.num_samples = 4});
  REQUIRE(DistributedSampler(common, {.rank = 1, .world = 2}).order(0) == std::vector<int64_t>{1, 1});
  REQUIRE_THROWS_WITH(DistributedSampler(4, {.rank = 2, .world = 2}), Catch::Contains("below 2 processes, got 2"));
  REQUIRE_THROWS_AS(DistributedSampler(4, {.rank = 0, .world = 0}), Error);
}

TEST_CASE("samplers: a loader goes on in the middle of an epoch with the same batches") {
  const auto labels = labels_of({40, 20, 4});
  const std::shared_ptr<const Sampler> samplers[] = {std::make_shared<StratifiedSampler>(labels, 8, 1),
                                                     std::make_shared<StratifiedSampler>(labels, 8, 1, BatchShares::equal),
                                                     std::make_shared<WeightedRandomSampler>(balancing_weights(labels)),
                                                     std::make_shared<DistributedSampler>(64, DistributedOptions{.rank = 1, .world = 2})};
  for (const auto& sampler : samplers) {
    const auto epoch = [&](int workers, int64_t from) {
      DataLoader loader(numbers(labels), {.batch_size = 8, .workers = workers, .sampler = sampler});
      loader.start(2, from);
      std::vector<int64_t> seen;
      for (auto& batch : loader)
        seen.insert(seen.end(), batch.label.template data<int64_t>(), batch.label.template data<int64_t>() + batch.label.numel());
      return seen;
    };
    const auto whole = epoch(0, 0), rest = epoch(2, 3);
    REQUIRE(whole.size() == sampler->order(2).size());
    REQUIRE(rest == std::vector<int64_t>(whole.begin() + 24, whole.end()));
  }
}

TEST_CASE("split: random, by fractions and by lengths") {
  const Parts parts = random_split_indices(10, {0.7, 0.2, 0.1}, 1);
  REQUIRE((partition(parts, 10) && parts[0].size() == 7 && parts[1].size() == 2 && parts[2].size() == 1));
  REQUIRE(parts == random_split_indices(10, {0.7, 0.2, 0.1}, 1));
  REQUIRE(parts != random_split_indices(10, {0.7, 0.2, 0.1}, 2));
  const Parts thirds = random_split_indices(11, {1 / 3., 1 / 3., 1 / 3.}, 1);
  REQUIRE((thirds[0].size() == 4 && thirds[1].size() == 4 && thirds[2].size() == 3));
  REQUIRE(random_split_indices(10, {7, 3}, 1)[0].size() == 7);
  REQUIRE(random_split_indices(0, {0.5, 0.5}, 1).size() == 2);
  for (std::vector<double> bad : {std::vector<double>{}, {0.5, 0.4}, {1.5, -0.5}, {7, 2}, {5.5, 4.5}, {11, -1}})
    REQUIRE_THROWS_AS(random_split_indices(10, bad, 1), ShapeError);
}

TEST_CASE("split: stratified parts keep each class's share, and the whole's") {
  const std::vector<int64_t> counts{100, 37, 10, 3, 1, 1, 1, 1, 1, 1};
  const auto labels = labels_of(counts);
  const std::vector<double> fractions{0.7, 0.3};
  const Parts parts = stratified_split_indices(labels, fractions, 6);
  REQUIRE(partition(parts, 156));
  for (size_t p = 0; p < 2; ++p) {
    for (int64_t c = 0; c < 10; ++c)
      REQUIRE(std::abs(static_cast<double>(count_of(parts[p], labels, c)) - fractions[p] * static_cast<double>(counts[static_cast<size_t>(c)])) < 1);
    REQUIRE(std::abs(static_cast<double>(parts[p].size()) - fractions[p] * 156) <= 1);
  }
  REQUIRE(parts == stratified_split_indices(labels, fractions, 6));
  REQUIRE(parts != stratified_split_indices(labels, fractions, 7));
  const Parts empty = stratified_split_indices(labels, {0, 0.5, 0.5}, 6);
  REQUIRE((partition(empty, 156) && empty[0].empty()));
  REQUIRE_THROWS_AS(stratified_split_indices(labels, {100, 56}, 6), ShapeError);
}

TEST_CASE("split: by the hash of a name, which nothing else changes") {
  REQUIRE(name_hash("", 0) == 0xF52A15E9A9B5E89Bu);
  REQUIRE(name_hash("cats/1.jpg", 0) == 0xB51CB53A4BAC99FEu);
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) names.push_back("cats/" + std::to_string(i) + ".jpg");
  const Parts parts = hash_split_indices(names, {0.8, 0.1, 0.1});
  REQUIRE(partition(parts, 5000));
  REQUIRE(std::abs(static_cast<double>(parts[0].size()) - 4000) < 4 * std::sqrt(5000 * 0.8 * 0.2));
  REQUIRE(std::abs(static_cast<double>(parts[2].size()) - 500) < 4 * std::sqrt(5000 * 0.1 * 0.9));
  std::vector<std::string> fewer(names.begin() + 2000, names.end());
  const Parts again = hash_split_indices(fewer, {0.8, 0.1, 0.1});
  for (size_t p = 0; p < 3; ++p)
    for (int64_t i : again[p]) REQUIRE(std::binary_search(parts[p].begin(), parts[p].end(), i + 2000));
  REQUIRE(hash_split_indices(names, {0.8, 0.1, 0.1}, 1) != parts);
  REQUIRE_THROWS_WITH(hash_split_indices({"a", ""}, {0.5, 0.5}), "hash_split: sample 1 has no name");
}

TEST_CASE("split: subsets and chains of data sets know their labels and classes") {
  const TensorDataset set = numbers({2, 0, 1, 1, 0, 0, 2, 1, 0, 0});
  const auto parts = stratified_split(set, {0.5, 0.5}, 1);
  REQUIRE((parts[0].size() + parts[1].size() == 10 && parts[0].classes() == std::vector<std::string>{"0", "1", "2"}));
  RandomStream stream(0);
  for (int64_t i = 0; i < parts[0].size(); ++i) REQUIRE(parts[0].get(i, stream).label.item() == parts[0].labels()[static_cast<size_t>(i)]);
  const ConcatDataset both(parts);
  REQUIRE(
      (both.size() == 10 && both.labels().size() == 10 && both.name(0) == parts[0].name(0) && both.name(9) == parts[1].name(parts[1].size() - 1)));
  REQUIRE(both.get(parts[0].size(), stream).label.item() == parts[1].labels()[0]);
  REQUIRE_THROWS_AS(both.get(10, stream), IndexError);
  REQUIRE_THROWS_AS(ConcatDataset<TensorDataset>({set, numbers({0, 1})}), FormatError);
  const InMemory kept{both};
  REQUIRE((kept.labels() == both.labels() && kept.classes() == both.classes()));
  REQUIRE(ConcatDataset<ClassificationData>({set, parts[1]}).size() == 10 + parts[1].size());
  REQUIRE(random_split(ClassificationData(set), {9, 1}, 0)[1].size() == 1);
  REQUIRE(hash_split(set, {0.5, 0.5})[0].size() + hash_split(set, {0.5, 0.5})[1].size() == 10);
}

}  // namespace tapetum::data
