#include "data/mask.h"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "core/error.h"
#include "data/file.h"
#include "data/image.h"

namespace tapetum::data {
namespace {

std::string place(int64_t i, int64_t width) { return fmt::format("row {}, column {}", i / width, i % width); }

Tensor above_threshold(const std::string& path, int64_t threshold) {
  const Image gray = read_image(path, 1);
  Tensor mask = empty({gray.height(), gray.width()}, DType::i64);
  const uint8_t* from = gray.row(0);
  int64_t* to = mask.mutable_data<int64_t>();
  for (int64_t i = 0; i < mask.numel(); ++i) to[i] = from[i] > threshold;
  return mask;
}

uint32_t key_of(const uint8_t* rgb) { return static_cast<uint32_t>(rgb[0] << 16 | rgb[1] << 8 | rgb[2]); }

Tensor from_colours(const std::string& path, const LabelColours& list, int64_t ignore_index) {
  std::unordered_map<uint32_t, int64_t> class_of;
  for (const auto& c : list.ignored) class_of[key_of(c.data())] = ignore_index;
  for (size_t i = 0; i < list.colours.size(); ++i) class_of[key_of(list.colours[i].data())] = static_cast<int64_t>(i);
  const Image image = read_image(path, 3);
  Tensor mask = empty({image.height(), image.width()}, DType::i64);
  const uint8_t* from = image.row(0);
  int64_t* to = mask.mutable_data<int64_t>();
  for (int64_t i = 0; i < mask.numel(); ++i, from += 3) {
    const auto found = class_of.find(key_of(from));
    if (found == class_of.end())
      throw FormatError(
          fmt::format("mask: {}: the colour {} {} {} at {} is not in the list of colours", path, from[0], from[1], from[2], place(i, image.width())));
    to[i] = found->second;
  }
  return mask;
}

void check_labels(const std::string& path, const Tensor& mask, const MaskOptions& o) {
  const int64_t* labels = mask.data<int64_t>();
  for (int64_t i = 0; i < mask.numel(); ++i)
    if (labels[i] >= o.classes && labels[i] != o.ignore_index)
      throw FormatError(fmt::format("mask: {}: expected labels below {} classes{}, got {} at {}{}", path, o.classes,
                                    o.ignore_index ? fmt::format(" or {} (ignored)", *o.ignore_index) : "", labels[i], place(i, mask.size(1)),
                                    labels[i] == 255 ? ": a black and white mask needs a threshold" : ""));
}

using Colour = std::array<uint8_t, 3>;

template <class T> bool contains(const std::vector<T>& list, const T& x) { return std::find(list.begin(), list.end(), x) != list.end(); }

std::string trimmed(const std::string& s) {
  const char* white = " \t\r";
  const size_t first = s.find_first_not_of(white);
  return first == s.npos ? "" : s.substr(first, s.find_last_not_of(white) + 1 - first);
}

// `red green blue [name]`
bool parse_colour(const std::string& text, Colour& colour, std::string& name) {
  std::istringstream words(text);
  for (uint8_t& c : colour) {
    int value = -1;
    if (!(words >> value) || value < 0 || value > 255) return false;
    c = static_cast<uint8_t>(value);
  }
  std::string rest;
  std::getline(words, rest);
  name = trimmed(rest);
  return rest.empty() || rest[0] == ' ' || rest[0] == '\t';
}

}  // namespace

LabelColours read_label_colours(const std::string& path) {
  LabelColours list;
  std::istringstream text(read_file(path));
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    const auto fail = [&](const std::string& reason) { throw FormatError(fmt::format("colours: {}: line {}: {}", path, number, reason)); };
    const std::string content = trimmed(line.substr(0, line.find('#')));
    if (content.empty()) continue;
    Colour colour;
    std::string name;
    if (!parse_colour(content, colour, name)) fail(fmt::format("expected `red green blue [name]` with values 0 to 255, got '{}'", trimmed(line)));
    if (name.empty()) name = fmt::format("class {}", list.names.size());
    if (contains(list.colours, colour) || contains(list.ignored, colour)) fail(fmt::format("the colour of '{}' was listed before", name));
    if (name == "ignore") {
      list.ignored.push_back(colour);
    } else {
      if (contains(list.names, name)) fail(fmt::format("the name '{}' was listed before", name));
      list.colours.push_back(colour);
      list.names.push_back(name);
    }
  }
  if (list.colours.empty()) throw FormatError(fmt::format("colours: {}: lists no class", path));
  return list;
}

void check(const MaskOptions& o) {
  if (o.classes < 1) throw FormatError(fmt::format("mask: expected one class or more, got {}", o.classes));
  if (o.threshold && o.colours) throw FormatError("mask: expected a threshold or colours, got both");
  if (o.threshold && (*o.threshold < 0 || *o.threshold > 254))
    throw FormatError(fmt::format("mask: expected a threshold of 0 to 254, got {}", *o.threshold));
  if (o.threshold && o.classes != 2) throw FormatError(fmt::format("mask: a threshold makes 2 classes, got {}", o.classes));
  if (!o.colours) return;
  if (static_cast<int64_t>(o.colours->colours.size()) != o.classes)
    throw FormatError(fmt::format("mask: the list of colours has {} classes, but {} are expected", o.colours->colours.size(), o.classes));
  if (!o.colours->ignored.empty() && !o.ignore_index) throw FormatError("mask: colours named 'ignore' need an ignore index");
}

Tensor read_mask(const std::string& path, const MaskOptions& o) {
  if (o.threshold) return above_threshold(path, *o.threshold);
  if (o.colours) return from_colours(path, *o.colours, o.ignore_index.value_or(0));
  const Tensor mask = read_labels(path);
  check_labels(path, mask, o);
  return mask;
}

}  // namespace tapetum::data
