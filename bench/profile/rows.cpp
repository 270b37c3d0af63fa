#include "bench/profile/rows.h"

#include <algorithm>
#include <map>

#include "all_cases.h"

namespace tapetum::bench {
namespace {

// What the emulator does within seconds.
constexpr double kMostFlops = 6e7;
constexpr int64_t kMostElements = 5 << 20;

bool is_small(const test::Case& row) { return row.flops <= kMostFlops && elements_of(row) <= kMostElements; }

bool is_more_telling(const test::Case* a, const test::Case* b) {
  if (is_small(*a) != is_small(*b)) return is_small(*a);
  return is_small(*a) ? most_work(*a) > most_work(*b) : most_work(*a) < most_work(*b);
}

}  // namespace

int64_t elements_of(const test::Case& row) {
  int64_t n = 0;
  for (const Shape& s : row.shapes) n += s.numel();
  return n;
}

double most_work(const test::Case& row) { return std::max(row.flops, static_cast<double>(elements_of(row))); }

std::vector<ProfiledSlot> profiled_slots() {
  std::map<std::string, ProfiledSlot> by_name;
  for (const auto* rows : all_cases)
    for (const test::Case& row : *rows) {
      if (elements_of(row) == 0) continue;  // nothing to do, or no input that says on which device
      for (const auto* slot : row.slots) {
        if (!slot->candidate(DeviceKind::cuda, 0)) continue;
        ProfiledSlot& entry = by_name[slot->name];
        entry.slot = slot;
        entry.rows.push_back(&row);
      }
    }
  std::vector<ProfiledSlot> all;
  for (auto& [name, entry] : by_name) {
    std::stable_sort(entry.rows.begin(), entry.rows.end(), is_more_telling);
    all.push_back(std::move(entry));
  }
  return all;
}

void run_row(const test::Case& row, const std::vector<Shape>& shapes, DType dtype, const std::function<bool()>& has_run) {
  manual_seed(1);
  std::vector<Tensor> xs;
  for (const Shape& s : shapes) xs.push_back(to(rand(s, row.low, row.high, dtype), DeviceKind::cuda).set_requires_grad(!row.flat));
  const Tensor y = row.op(xs);
  if (!has_run() && y.requires_grad()) grad({y}, xs, {ones_like(y)});
}

}  // namespace tapetum::bench
