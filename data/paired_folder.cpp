#include "data/paired_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "data/folder.h"
#include "data/image.h"
#include "data/pixels/resize.h"

namespace tapetum::data {
namespace {

constexpr size_t kShown = 8;

struct NaturalLess {
  bool operator()(const std::string& a, const std::string& b) const { return natural_less(a, b); }
};
using PathByStem = std::map<std::string, std::string, NaturalLess>;

PathByStem by_stem(const std::string& folder) {
  PathByStem paths;
  for (const std::string& path : image_files(folder)) {
    const auto [at, added] = paths.emplace(stem_of(path), path);
    if (!added) throw FormatError(fmt::format("paired_folder: two files of one name: {} and {}", at->second, path));
  }
  return paths;
}

std::vector<std::string> missing(const PathByStem& of, const PathByStem& in) {
  std::vector<std::string> stems;
  for (const auto& [stem, path] : of)
    if (!in.contains(stem)) stems.push_back(stem);
  return stems;
}

std::string listed(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kShown);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

void check_partners(const PathByStem& images, const PathByStem& masks, const PairedFolderOptions& o) {
  const auto lonely_images = missing(images, masks), lonely_masks = missing(masks, images);
  if (lonely_images.empty() && lonely_masks.empty()) return;
  std::string text = "paired_folder:";
  if (!lonely_images.empty())
    text += fmt::format(" {} of {} images in {} have no mask: {}", lonely_images.size(), images.size(), o.images, listed(lonely_images));
  if (!lonely_images.empty() && !lonely_masks.empty()) text += ";";
  if (!lonely_masks.empty())
    text += fmt::format(" {} of {} masks in {} have no image: {}", lonely_masks.size(), masks.size(), o.masks, listed(lonely_masks));
  throw FormatError(text);
}

}  // namespace

PairedFolder::PairedFolder(const PairedFolderOptions& options) : options_(options) {
  if (options.size.h < 0 || options.size.w < 0 || (options.size.h == 0) != (options.size.w == 0))
    throw ShapeError(
        fmt::format("paired_folder: expected a size of 1 or more, or 0 for the images' own, got {} x {}", options.size.h, options.size.w));
  check(options.mask);
  const PathByStem images = by_stem(options.images), masks = by_stem(options.masks);
  check_partners(images, masks, options);
  for (const auto& [stem, path] : images) pairs_.push_back({path, masks.at(stem)});
}

const PairedFolder::Pair& PairedFolder::at(int64_t index) const {
  if (index < 0 || index >= size()) throw ShapeError(fmt::format("paired_folder: expected an index below {}, got {}", size(), index));
  return pairs_[static_cast<size_t>(index)];
}

std::string PairedFolder::name(int64_t index) const { return stem_of(at(index).image); }

ImageSample PairedFolder::get(int64_t index) const {
  const auto& [image_path, mask_path] = at(index);
  const Image image = read_image(image_path);
  const Tensor mask = read_mask(mask_path, options_.mask);
  if (image.height() != mask.size(0) || image.width() != mask.size(1))
    throw FormatError(fmt::format("paired_folder: {} is {} x {}, but its mask {} is {} x {}", image_path, image.width(), image.height(), mask_path,
                                  mask.size(1), mask.size(0)));
  ImageSample sample;
  sample.image = options_.size.h == 0 ? image.tensor() : resize(image, options_.size).tensor();
  sample.mask = options_.size.h == 0 ? mask : resize_nearest(mask, options_.size);
  return sample;
}

}  // namespace tapetum::data
