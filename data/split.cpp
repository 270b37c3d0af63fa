#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "data/sampler.h"

namespace tapetum::data {
namespace {

constexpr double kTolerance = 1e-9;  // of a sum of fractions

bool are_fractions(const std::vector<double>& parts) {
  const bool positive = std::all_of(parts.begin(), parts.end(), [](double p) { return p >= 0; });
  return positive && std::abs(std::accumulate(parts.begin(), parts.end(), 0.0) - 1) <= kTolerance;
}

void check_fractions(const char* op, const std::vector<double>& parts) {
  if (!are_fractions(parts)) throw ShapeError(fmt::format("{}: expected fractions that add up to 1, got {}", op, fmt::join(parts, ", ")));
}

std::vector<int64_t> lengths_of(int64_t count, const std::vector<double>& parts) {
  std::vector<int64_t> lengths;
  if (!are_fractions(parts)) {
    const bool whole = std::all_of(parts.begin(), parts.end(), [](double p) { return p >= 0 && p == std::floor(p); });
    if (!whole || std::accumulate(parts.begin(), parts.end(), 0.0) != static_cast<double>(count))
      throw ShapeError(
          fmt::format("random_split: expected fractions that add up to 1 or lengths that add up to {}, got {}", count, fmt::join(parts, ", ")));
    for (double p : parts) lengths.push_back(static_cast<int64_t>(p));
    return lengths;
  }
  for (double p : parts) lengths.push_back(static_cast<int64_t>(std::floor(p * static_cast<double>(count))));
  const int64_t left = count - std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  for (int64_t i = 0; i < left; ++i) ++lengths[static_cast<size_t>(i) % lengths.size()];
  return lengths;
}

Parts sorted(Parts parts) {
  for (auto& indices : parts) std::sort(indices.begin(), indices.end());
  return parts;
}

// `count` samples of one class to whole numbers for each part, each rounded down or up. `owed` is what each part lacks so far of its exact share
// of all classes: of the parts that are not whole, those to which most is owed are rounded up.
std::vector<int64_t> share_out(int64_t count, const std::vector<double>& fractions, std::vector<double>& owed) {
  std::vector<int64_t> shares;
  std::vector<size_t> rounded;
  int64_t left = count;
  for (size_t p = 0; p < fractions.size(); ++p) {
    const double exact = fractions[p] * static_cast<double>(count), whole = std::floor(exact + kTolerance);
    shares.push_back(static_cast<int64_t>(whole));
    owed[p] += exact - whole;
    left -= shares[p];
    if (exact - whole > kTolerance) rounded.push_back(p);
  }
  std::stable_sort(rounded.begin(), rounded.end(), [&](size_t a, size_t b) { return owed[a] > owed[b]; });
  for (size_t i = 0; i < static_cast<size_t>(left); ++i) {
    ++shares[rounded[i]];
    owed[rounded[i]] -= 1;
  }
  return shares;
}

}  // namespace

Parts random_split_indices(int64_t count, const std::vector<double>& parts, uint64_t seed) {
  const std::vector<int64_t> lengths = lengths_of(count, parts), order = permutation(count, RandomStream(seed));
  Parts result;
  auto at = order.begin();
  for (int64_t length : lengths) {
    result.emplace_back(at, at + length);
    at += length;
  }
  return sorted(std::move(result));
}

Parts stratified_split_indices(const std::vector<int64_t>& labels, const std::vector<double>& fractions, uint64_t seed) {
  check_fractions("stratified_split", fractions);
  std::map<int64_t, std::vector<int64_t>> members;
  for (int64_t i : permutation(static_cast<int64_t>(labels.size()), RandomStream(seed))) members[labels[static_cast<size_t>(i)]].push_back(i);
  Parts result(fractions.size());
  std::vector<double> owed(fractions.size());
  for (const auto& [label, indices] : members) {
    auto at = indices.begin();
    const std::vector<int64_t> shares = share_out(static_cast<int64_t>(indices.size()), fractions, owed);
    for (size_t p = 0; p < shares.size(); ++p) {
      result[p].insert(result[p].end(), at, at + shares[p]);
      at += shares[p];
    }
  }
  return sorted(std::move(result));
}

uint64_t name_hash(std::string_view name, uint64_t seed) {
  uint64_t h = 0xCBF29CE484222325;
  for (char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  h ^= seed;  // FNV's last letters reach its upper bits hardly: the steps below spread them
  h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9;
  h = (h ^ h >> 27) * 0x94D049BB133111EB;
  return h ^ h >> 31;
}

Parts hash_split_indices(const std::vector<std::string>& names, const std::vector<double>& fractions, uint64_t seed) {
  check_fractions("hash_split", fractions);
  Parts result(fractions.size());
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) throw Error(fmt::format("hash_split: sample {} has no name", i));
    const double place = static_cast<double>(name_hash(names[i], seed) >> 11) * 0x1p-53;  // in [0, 1)
    size_t part = 0;
    for (double below = fractions[0]; place >= below && part + 1 < fractions.size(); below += fractions[part]) ++part;
    result[part].push_back(static_cast<int64_t>(i));
  }
  return result;
}

}  // namespace tapetum::data
