#include "examples/common/sets.h"

#include <fmt/core.h>

#include "core/error.h"
#include "data/folder.h"
#include "data/image.h"
#include "data/in_memory.h"
#include "data/paired_folder.h"
#include "data/synthetic_cells.h"
#include "data/transforms.h"

namespace programs {
namespace {

using namespace tapetum;

constexpr int64_t kTrain = 96, kVal = 24;
constexpr uint64_t kHeldOut = uint64_t{1} << 40;  // their seed: the same images for every --seed

// Samples of a set that takes at most half a gigabyte are made once, the others each time.
data::ImageData kept(const data::ImageData& set, Size2 size) {
  const int64_t bytes = set.size() * size.h * size.w * static_cast<int64_t>(3 + sizeof(int64_t));
  return bytes <= int64_t{1} << 29 ? data::ImageData(data::InMemory(set)) : set;
}

Sets procedural(const TrainOptions& o) {
  return {data::SyntheticCells({.count = kTrain, .size = o.size, .seed = static_cast<uint64_t>(o.seed)}),
          data::SyntheticCells({.count = kVal, .size = o.size, .seed = kHeldOut}),
          {"background", "cell"},
          o.size};
}

std::vector<std::string> class_names(const TrainOptions& o, const data::MaskOptions& mask) {
  std::vector<std::string> names = mask.colours ? mask.colours->names : std::vector<std::string>();
  if (o.mask_threshold >= 0) names = {"background", "foreground"};
  for (size_t i = names.size(); i < static_cast<size_t>(o.classes); ++i) names.push_back(fmt::format("class {}", i));
  return names;
}

Sets own(const TrainOptions& o) {
  data::MaskOptions mask{.classes = o.classes};
  if (o.ignore_index >= 0 || !o.mask_colors.empty()) mask.ignore_index = o.ignore_index;
  if (o.mask_threshold >= 0) mask.threshold = o.mask_threshold;
  if (!o.mask_colors.empty()) mask.colours = data::read_label_colours(o.mask_colors);
  const data::PairedFolder all({.images = o.images, .masks = o.masks, .size = o.size, .mask = mask});
  const data::Image first = data::read_image(data::image_files(o.images).front());
  const Size2 source(first.height(), first.width());
  if (!o.val_images.empty())
    return {all, data::PairedFolder({.images = o.val_images, .masks = o.val_masks, .size = o.size, .mask = mask}), class_names(o, mask), source};
  if (all.size() < 2) throw Error(fmt::format("{}: one image cannot be split into training and validation: give --val-images", o.images));
  const auto [train, val] = data::split(all, o.val_fraction, 0);  // not by --seed: runs are judged on the same images
  return {train, val, class_names(o, mask), source};
}

}  // namespace

Sets make_sets(const TrainOptions& o) {
  Sets sets = o.synthetic() ? procedural(o) : own(o);
  sets.train = data::Transformed(kept(sets.train, o.size), data::Compose{{data::augmentation(o.augment), data::ToTensor{}}});
  sets.val = data::Transformed(kept(sets.val, o.size), data::ToTensor{});
  return sets;
}

}  // namespace programs
