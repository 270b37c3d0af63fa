#include "examples/common/image_paths.h"

#include <fmt/core.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "data/folder.h"

namespace programs {

std::vector<std::string> image_paths(const std::string& images) {
  if (std::filesystem::is_directory(images)) return tapetum::data::image_files(images);
  if (std::filesystem::exists(images)) return {images};
  glob_t found{};
  std::vector<std::string> files;
  if (::glob(images.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (files.empty()) throw tapetum::IoError(fmt::format("{}: no image there", images));
  std::sort(files.begin(), files.end(), tapetum::data::natural_less);
  return files;
}

}  // namespace programs
