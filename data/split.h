// Data sets in parts: at random, with each class's share, or by name.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/classification.h"

namespace tapetum::data {

// Every index of [0, count) in one part, in ascending order. Throws ShapeError for parts that do not add up.
using Parts = std::vector<std::vector<int64_t>>;

// `parts` are fractions that add up to 1, or lengths that add up to the count, as for PyTorch's random_split: what is left after rounding down
// goes one by one to the first parts.
Parts random_split_indices(int64_t count, const std::vector<double>& parts, uint64_t seed);

// Each part has, of each class, its fraction rounded down or up, in such a way that rounding evens out over the classes.
Parts stratified_split_indices(const std::vector<int64_t>& labels, const std::vector<double>& fractions, uint64_t seed);

// Which part a sample is in depends on its name alone: files that come later change nothing for the others, on any machine. Sizes are near the
// fractions, no more. The name goes through FNV-1a of 64 bits, exclusive or the seed, and the last step of SplitMix64 (Steele, Lea, Flood, 2014).
Parts hash_split_indices(const std::vector<std::string>& names, const std::vector<double>& fractions, uint64_t seed = 0);
uint64_t name_hash(std::string_view name, uint64_t seed = 0);

template <Dataset D> std::vector<Subset<D>> subsets(const D& dataset, Parts parts) {
  std::vector<Subset<D>> all;
  for (auto& indices : parts) all.emplace_back(dataset, std::move(indices));
  return all;
}

template <Dataset D> std::vector<Subset<D>> random_split(const D& dataset, const std::vector<double>& parts, uint64_t seed) {
  return subsets(dataset, random_split_indices(dataset.size(), parts, seed));
}

template <Labelled D> std::vector<Subset<D>> stratified_split(const D& dataset, const std::vector<double>& fractions, uint64_t seed) {
  return subsets(dataset, stratified_split_indices(dataset.labels(), fractions, seed));
}

template <Dataset D> std::vector<Subset<D>> hash_split(const D& dataset, const std::vector<double>& fractions, uint64_t seed = 0) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < dataset.size(); ++i) names.push_back(name_of_sample(dataset, i));
  return subsets(dataset, hash_split_indices(names, fractions, seed));
}

}  // namespace tapetum::data
