// Image files of a folder, in the order a person expects.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tapetum::data {

bool natural_less(std::string_view a, std::string_view b);  // numbers by value: "img2" before "img10"
bool is_image_name(std::string_view name);                  // by its ending: png jpg jpeg bmp gif ppm pgm pnm, in any case
std::string stem_of(std::string_view path);                 // "a/b.c.png" -> "b.c"

// Paths of the image files in a folder (not below it; hidden ones are left out), naturally sorted. Throws IoError when the folder
// cannot be read, FormatError when it has none.
std::vector<std::string> image_files(const std::string& folder);

}  // namespace tapetum::data
