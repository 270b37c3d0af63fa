// Pictures of labels to class ids: gray levels or palette indices, one threshold, or colours of a list.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace tapetum::data {

// Class i has colours[i] and names[i]. `ignored` are colours of pixels that belong to no class.
struct LabelColours {
  std::vector<std::array<uint8_t, 3>> colours, ignored;
  std::vector<std::string> names;
};

// A text of lines `r g b [name]`, class 0 first; # begins a comment; the name "ignore" marks a colour without a class.
// Throws FormatError naming file and line, also for a colour or name that comes twice.
LabelColours read_label_colours(const std::string& path);

struct MaskOptions {
  int64_t classes = 2;
  std::optional<int64_t> threshold = {};     // 1 where the gray value is above it, else 0; instead of class ids
  std::optional<LabelColours> colours = {};  // instead of class ids
  std::optional<int64_t> ignore_index = {};  // a class id that may occur besides 0 .. classes - 1: pixels that no loss or metric counts
};

// i64 [H, W]. Throws FormatError naming file, value and place for a label outside the classes, or a colour that is not listed.
Tensor read_mask(const std::string& path, const MaskOptions& options);
void check(const MaskOptions& options);  // throws FormatError for options that contradict each other

}  // namespace tapetum::data
