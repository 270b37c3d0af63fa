// Names that were probably meant, for errors.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tapetum {

size_t edit_distance(std::string_view a, std::string_view b);  // letters to insert, remove or replace (Levenshtein 1966)

// The `count` names with the smallest distance to `name`, nearest first.
std::vector<std::string> nearest(std::string_view name, std::vector<std::string> names, size_t count);

}  // namespace tapetum
