#include "core/nearest.h"

#include <algorithm>
#include <numeric>

namespace tapetum {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> nearest(std::string_view name, std::vector<std::string> names, size_t count) {
  std::stable_sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return edit_distance(name, a) < edit_distance(name, b); });
  names.resize(std::min(names.size(), count));
  return names;
}

}  // namespace tapetum
