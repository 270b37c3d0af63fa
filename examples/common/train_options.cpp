#include "examples/common/train_options.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cmath>

namespace programs {
namespace {

void check_images(const TrainOptions& o) {
  require(o.images.empty() == o.masks.empty(), "--images and --masks belong together");
  require(o.val_images.empty() == o.val_masks.empty(), "--val-images and --val-masks belong together");
  require(o.val_images.empty() || !o.images.empty(), "--val-images needs --images");
  require(o.val_fraction > 0 && o.val_fraction < 1, fmt::format("--val-fraction: expected more than 0 and less than 1, got {}", o.val_fraction));
  require_within("--classes", o.classes, 2, 256);  // a mask of segment has 8 bits
  require(!o.synthetic() || o.classes == 2, fmt::format("--classes: procedural images have 2 classes, got {}", o.classes));
  require(o.mask_threshold >= -1 && o.mask_threshold <= 254, fmt::format("--mask-threshold: expected 0 to 254, got {}", o.mask_threshold));
  require(o.mask_threshold < 0 || o.mask_colors.empty(), "--mask-threshold and --mask-colors exclude each other");
  require(o.mask_threshold < 0 || o.classes == 2, fmt::format("--mask-threshold: makes 2 classes, but --classes is {}", o.classes));
}

void check_loss(const TrainOptions& o) {
  require(o.class_weights.empty() || static_cast<int64_t>(o.class_weights.size()) == o.classes,
          fmt::format("--class-weights: expected {} numbers, one a class, got {}", o.classes, o.class_weights.size()));
  require(o.class_weights.empty() || o.loss != "dice", "--class-weights: the dice loss has none");
  for (double w : o.class_weights)  // the mean over pixels of no weight would be NaN
    require(w > 0 && std::isfinite(w), fmt::format("--class-weights: expected numbers above 0 (--ignore-index leaves a value out), got {}", w));
}

void check(const TrainOptions& o) {
  check_images(o);
  require_within("--width", o.width, 1, 4096);
  require_within("--depth", o.depth, 1, 8);
  const int64_t smallest = int64_t{1} << o.depth;
  require(o.size.h >= smallest && o.size.w >= smallest,
          fmt::format("--size: expected sides of at least {} at --depth {}, got {}x{}", smallest, o.depth, o.size.h, o.size.w));
  check_loss(o);
  o.check();
}

}  // namespace

bool parse(TrainOptions& o, int argc, char** argv) {
  CommandLine line("train_unet", "Trains a U-Net that gives every pixel a class: on procedural cell images, or on your own.");
  std::string size = "128";
  line.group("Images (none: 96 procedural ones for training, 24 for validation)");
  line.add("--images", o.images, "DIR", "Folder of training images");
  line.add("--masks", o.masks, "DIR", "Folder of their masks, paired by file name without extension");
  line.add("--val-images", o.val_images, "DIR", "Folder of validation images");
  line.add("--val-masks", o.val_masks, "DIR", "Folder of their masks");
  line.add("--val-fraction", o.val_fraction, "Without --val-images: this part of the images is held out");
  line.add("--classes", o.classes, "Number of classes");
  line.add("--mask-threshold", o.mask_threshold, "Masks are gray: above this is class 1 (-1: masks hold class ids)");
  line.add("--mask-colors", o.mask_colors, "FILE", "Masks are coloured: file with a line 'R G B [name]' for each class");
  line.add("--ignore-index", o.ignore_index, "Mask value that is neither learnt nor judged");
  line.add("--size", size, "S|HxW", "Images are resized to S or HxW pixels");

  line.group("Model");
  line.add("--width", o.width, "Channels of the first level");
  line.add("--depth", o.depth, "Levels below the first");
  line.add_choice("--up", o.up, {"transposed", "bilinear"}, "Upsampling");
  line.add("--checkpoint", o.checkpoint, "Keep less for the gradients and compute it again: less memory, more time, the same losses");
  line.add("--weights", o.weights, "FILE", "Start from the weights of this .safetensors file");

  line.group("Training");
  o.add_training(line);
  line.add_choice("--loss", o.loss, {"ce", "dice", "ce+dice", "focal"}, "Loss");
  line.add("--class-weights", o.class_weights, "Weight of each class in the loss, separated by commas");
  line.add_choice("--augment", o.augment, {"none", "light", "strong"}, "light: flips, scale, brightness; strong: elastic, blur, noise too");

  o.add_machine(line);
  o.add_plan(line);
  o.add_output(line, "train_unet");
  if (!line.parse(argc, argv)) return false;
  o.size = parse_size("--size", size);
  check(o);
  return true;
}

tapetum::train::Record to_record(const TrainOptions& o) {
  tapetum::train::Record r;
  r.set("program", "train_unet").set("images", o.images).set("masks", o.masks).set("val_images", o.val_images).set("val_masks", o.val_masks);
  r.set("val_fraction", o.val_fraction).set("classes", o.classes).set("mask_threshold", o.mask_threshold).set("mask_colors", o.mask_colors);
  r.set("ignore_index", o.ignore_index).set("size", std::vector<int64_t>{o.size.h, o.size.w});
  r.set("width", o.width).set("depth", o.depth).set("up", o.up).set("weights", o.weights).set("checkpoint", o.checkpoint);
  r.set("loss", o.loss).set("class_weights", o.class_weights).set("augment", o.augment);
  o.record(r);
  return r;
}

tapetum::Metadata setup_of(const TrainOptions& o) {
  tapetum::Metadata m{{"--images", o.images},
                      {"--masks", o.masks},
                      {"--val-images", o.val_images},
                      {"--val-masks", o.val_masks},
                      {"--mask-colors", o.mask_colors},
                      {"--size", fmt::format("{}x{}", o.size.h, o.size.w)},
                      {"--up", o.up},
                      {"--weights", o.weights},
                      {"--loss", o.loss},
                      {"--augment", o.augment},
                      {"--class-weights", fmt::format("{}", fmt::join(o.class_weights, ","))}};
  const std::pair<const char*, int64_t> integers[] = {{"--classes", o.classes},
                                                      {"--mask-threshold", o.mask_threshold},
                                                      {"--ignore-index", o.ignore_index},
                                                      {"--width", o.width},
                                                      {"--depth", o.depth}};

  m["--val-fraction"] = fmt::format("{}", o.val_fraction);
  for (const auto& [name, value] : integers) m[name] = fmt::format("{}", value);
  o.setup(m);
  return m;
}

}  // namespace programs
