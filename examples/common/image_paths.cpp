#include "examples/common/image_paths.h"

#include <fmt/core.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "data/folder.h"

namespace fs = std::filesystem;

namespace programs {

std::vector<std::string> image_paths(const std::string& images) {
  if (fs::is_directory(images)) return tapetum::data::image_files(images);
  if (fs::exists(images)) return {images};
  glob_t found{};
  std::vector<std::string> files;
  if (::glob(images.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (files.empty()) throw tapetum::IoError(fmt::format("{}: no image there", images));
  std::sort(files.begin(), files.end(), tapetum::data::natural_less);
  return files;
}

void check_outputs(const std::vector<Output>& outputs) {
  std::map<std::string, std::string> origin;  // of each file that is written
  std::set<fs::path> images;
  for (const Output& o : outputs) images.insert(fs::weakly_canonical(o.image));
  for (const Output& o : outputs) {
    const auto [known, is_new] = origin.emplace(o.file, o.image);
    if (!is_new) throw tapetum::Error(fmt::format("{}: would be written for {} and for {}", o.file, known->second, o.image));
    if (images.contains(fs::weakly_canonical(o.file)))
      throw tapetum::Error(fmt::format("{}: is one of the images and would be overwritten: choose another folder", o.file));
  }
}

}  // namespace programs
