#include "data/folder.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/error.h"

namespace tapetum::data {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The run of digits at the front, without leading zeros.
std::string_view take_number(std::string_view& s) {
  const size_t end = std::min(s.size(), static_cast<size_t>(std::find_if_not(s.begin(), s.end(), is_digit) - s.begin()));
  std::string_view digits = s.substr(0, end);
  s.remove_prefix(end);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

int compare_naturally(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
      if (const int order = x.compare(y)) return order;
    } else if (a[0] != b[0]) {
      return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]) ? -1 : 1;
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return static_cast<int>(b.empty()) - static_cast<int>(a.empty());
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  const int order = compare_naturally(a, b);
  return order ? order < 0 : a < b;  // "a01" and "a1" differ, too
}

bool is_image_name(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string ending(name.substr(dot + 1));
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view known[] = {"png", "jpg", "jpeg", "bmp", "gif", "ppm", "pgm", "pnm"};
  return std::find(std::begin(known), std::end(known), ending) != std::end(known);
}

std::string stem_of(std::string_view path) { return std::filesystem::path(path).stem().string(); }

std::vector<std::string> image_files(const std::string& folder) try {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name[0] != '.' && is_image_name(name) && !entry.is_directory()) paths.push_back(entry.path().string());
  }
  if (paths.empty()) throw FormatError(fmt::format("folder: {}: has no image files (png, jpg, bmp, gif, pnm)", folder));
  std::sort(paths.begin(), paths.end(), natural_less);
  return paths;
} catch (const std::filesystem::filesystem_error& e) {
  throw IoError(fmt::format("folder: {}: {}", folder, e.code().message()));
}

}  // namespace tapetum::data
