#include "data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "data/folder.h"

namespace tapetum::data {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// Subfolders, and the images that lie beside them.
struct Top {
  std::vector<std::string> classes, images;
};

Top look_at(const std::string& root) {
  Top top;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (is_hidden(entry.path())) continue;
    if (entry.is_directory())
      top.classes.push_back(name);
    else if (is_image_name(name))
      top.images.push_back(name);
  }
  std::sort(top.classes.begin(), top.classes.end());
  std::sort(top.images.begin(), top.images.end());
  return top;
}

void check(const Top& top, const std::string& root) {
  if (!top.images.empty())
    throw FormatError(
        fmt::format("image_folder: {}: has {} images beside {} class folders ({}): every image belongs in the folder of its class, "
                    "root/class/image; a list of files with their classes is for CsvDataset",
                    root, top.images.size(), top.classes.size(), top.images[0]));
  if (top.classes.empty())
    throw FormatError(fmt::format("image_folder: {}: is empty: expected a folder for each class with its images, root/class/image", root));
}

// Folder by folder, each one's files in order: as sorted(os.walk(folder)) has them.
std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> found;  // folder, file
  for (auto at = fs::recursive_directory_iterator(folder); at != fs::recursive_directory_iterator(); ++at) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
    } else if (const std::string name = at->path().filename().string(); is_image_name(name) && !at->is_directory()) {
      found.emplace_back(at->path().parent_path().string(), name);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> paths;
  for (const auto& [parent, name] : found) paths.push_back(fs::path(parent) / name);
  return paths;
}

LabelledFiles find(const std::string& root, const ImageFileOptions& options) try {
  const Top top = look_at(root);
  check(top, root);
  std::vector<LabelledFile> files;
  std::vector<std::string> without;
  for (size_t c = 0; c < top.classes.size(); ++c) {
    const auto paths = images_below(fs::path(root) / top.classes[c]);
    if (paths.empty()) without.push_back(top.classes[c]);
    for (const fs::path& path : paths) files.push_back({path.string(), path.lexically_relative(root).string(), static_cast<int64_t>(c)});
  }
  if (!without.empty())
    throw FormatError(fmt::format("image_folder: {}: no image files (png, jpg, bmp, gif, pnm) of {} {}", root,
                                  without.size() == 1 ? "class" : "classes", fmt::join(without, ", ")));
  return {std::move(files), top.classes, options};
} catch (const fs::filesystem_error& e) {
  throw IoError(fmt::format("image_folder: {}: {}", e.path1().empty() ? root : e.path1().string(), e.code().message()));
}

}  // namespace

ImageFolder::ImageFolder(const std::string& root, const ImageFileOptions& options) : LabelledFiles(find(root, options)) {}

}  // namespace tapetum::data
