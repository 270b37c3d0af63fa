// What the two formats of CIFAR files share.
#pragma once
#include <string_view>

#include "data/cifar.h"

namespace tapetum::data {

constexpr int64_t kCifarSide = 32, kCifarPixels = 3 * kCifarSide * kCifarSide;

int64_t cifar_class_count(CifarLabels labels);

// One record's planes (red, green, blue) to a picture whose channels lie together.
void interleave_cifar(const char* planes, uint8_t* image);

// Throws FormatError for a label outside the classes.
int64_t checked_cifar_label(int64_t label, int64_t record, const std::string& name, CifarLabels labels);

bool is_pickle(std::string_view bytes);
CifarBatch parse_cifar_pickle(std::string_view bytes, const std::string& name, CifarLabels labels);

}  // namespace tapetum::data
