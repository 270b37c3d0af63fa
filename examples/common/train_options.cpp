#include "examples/common/train_options.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>

#include "examples/common/command_line.h"

namespace programs {
namespace {

using tapetum::Size2;

bool read_side(std::string_view text, int64_t& side) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  return error == std::errc() && end == text.data() + text.size() && side >= 1 && side <= 16384;
}

// "128" or "96x160" (height by width).
Size2 parse_size(const std::string& text) {
  int64_t h = 0, w = 0;
  const size_t x = text.find('x');
  const bool good = x == std::string::npos ? read_side(text, h) && (w = h) : read_side(text.substr(0, x), h) && read_side(text.substr(x + 1), w);
  if (!good) throw UsageError(fmt::format("--size: expected S or HxW with sides from 1 to 16384, got '{}'", text));
  return Size2(h, w);
}

void require(bool good, const std::string& reason) {
  if (!good) throw UsageError(reason);
}

void within(const char* flag, int64_t value, int64_t lowest, int64_t highest) {
  require(value >= lowest && value <= highest, fmt::format("{}: expected {} to {}, got {}", flag, lowest, highest, value));
}

void at_least_zero(const char* flag, double value) {
  require(value >= 0 && std::isfinite(value), fmt::format("{}: expected a number of at least 0, got {}", flag, value));
}

constexpr int64_t kMany = 1'000'000'000;  // more steps than anyone makes, and their sums do not overflow

void check_images(const TrainOptions& o) {
  require(o.images.empty() == o.masks.empty(), "--images and --masks belong together");
  require(o.val_images.empty() == o.val_masks.empty(), "--val-images and --val-masks belong together");
  require(o.val_images.empty() || !o.images.empty(), "--val-images needs --images");
  require(o.val_fraction > 0 && o.val_fraction < 1, fmt::format("--val-fraction: expected more than 0 and less than 1, got {}", o.val_fraction));
  within("--classes", o.classes, 2, 256);  // a mask of segment has 8 bits
  require(!o.synthetic() || o.classes == 2, fmt::format("--classes: procedural images have 2 classes, got {}", o.classes));
  require(o.mask_threshold >= -1 && o.mask_threshold <= 254, fmt::format("--mask-threshold: expected 0 to 254, got {}", o.mask_threshold));
  require(o.mask_threshold < 0 || o.mask_colors.empty(), "--mask-threshold and --mask-colors exclude each other");
  require(o.mask_threshold < 0 || o.classes == 2, fmt::format("--mask-threshold: makes 2 classes, but --classes is {}", o.classes));
}

void check_training(const TrainOptions& o) {
  within("--epochs", o.epochs, 1, kMany);
  within("--steps", o.steps, 0, kMany);
  within("--batch-size", o.batch_size, 1, kMany);
  within("--warmup", o.warmup, 0, kMany);
  require(o.lr > 0 && std::isfinite(o.lr), fmt::format("--lr: expected a number above 0, got {}", o.lr));
  at_least_zero("--weight-decay", o.weight_decay);
  require(o.class_weights.empty() || static_cast<int64_t>(o.class_weights.size()) == o.classes,
          fmt::format("--class-weights: expected {} numbers, one a class, got {}", o.classes, o.class_weights.size()));
  require(o.class_weights.empty() || o.loss != "dice", "--class-weights: the dice loss has none");
  for (double w : o.class_weights)  // the mean over pixels of no weight would be NaN
    require(w > 0 && std::isfinite(w), fmt::format("--class-weights: expected numbers above 0 (--ignore-index leaves a value out), got {}", w));
  require(o.warmup == 0 || o.schedule != "onecycle", "--warmup: the onecycle schedule has its own");
}

void check(const TrainOptions& o) {
  check_images(o);
  within("--width", o.width, 1, 4096);
  within("--depth", o.depth, 1, 8);
  const int64_t smallest = int64_t{1} << o.depth;
  require(o.size.h >= smallest && o.size.w >= smallest,
          fmt::format("--size: expected sides of at least {} at --depth {}, got {}x{}", smallest, o.depth, o.size.h, o.size.w));
  check_training(o);
  within("--threads", o.threads, 0, 1024);
  within("--workers", o.workers, 0, 256);
  within("--seed", o.seed, 0, INT64_MAX);
  require(!o.resume || !o.out.empty(), "--resume needs --out, the folder of the run to go on with");
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
  line.add("--weights", o.weights, "FILE", "Start from the weights of this .safetensors file");

  line.group("Training");
  line.add("--epochs", o.epochs, "Passes over the training images");
  line.add("--steps", o.steps, "Stop after so many steps (0: no limit)");
  line.add("--batch-size", o.batch_size, "Images a step");
  line.add("--lr", o.lr, "Learning rate, the highest one of a schedule");
  line.add_choice("--optimizer", o.optimizer, {"adam", "adamw", "sgd"}, "sgd has momentum 0.9");
  line.add("--weight-decay", o.weight_decay, "Weight decay");
  line.add_choice("--schedule", o.schedule, {"none", "step", "cosine", "onecycle"}, "Of the learning rate, over all steps");
  line.add("--warmup", o.warmup, "Steps of linear warm-up");
  line.add_choice("--loss", o.loss, {"ce", "dice", "ce+dice", "focal"}, "Loss");
  line.add("--class-weights", o.class_weights, "Weight of each class in the loss, separated by commas");
  line.add_choice("--augment", o.augment, {"none", "light", "strong"}, "light: flips, scale, brightness; strong: elastic, blur, noise too");

  line.group("Machine");
  line.add("--threads", o.threads, "Threads of the kernels (0: one a core)");
  line.add("--workers", o.workers, "Threads that load images (0: none)");
  line.add("--seed", o.seed, "Decides every random number");
  line.add_choice("--device", o.device, {"auto", "cpu", "cuda"}, "Where to compute");

  line.group("Output");
  line.add("--out", o.out, "DIR", "Folder of the run (none: runs/train_unet/<time>)");
  line.add("--resume", o.resume, "Go on from the last checkpoint in --out, or start anew where there is none");
  line.add_optional("--json", o.json, "-", "Result as JSON; --json=FILE: into a file");
  line.add("--quiet", o.quiet, "No progress");
  if (!line.parse(argc, argv)) return false;
  o.size = parse_size(size);
  check(o);
  return true;
}

tapetum::train::Record to_record(const TrainOptions& o) {
  tapetum::train::Record r;
  r.set("program", "train_unet").set("images", o.images).set("masks", o.masks).set("val_images", o.val_images).set("val_masks", o.val_masks);
  r.set("val_fraction", o.val_fraction).set("classes", o.classes).set("mask_threshold", o.mask_threshold).set("mask_colors", o.mask_colors);
  r.set("ignore_index", o.ignore_index).set("size", std::vector<int64_t>{o.size.h, o.size.w});
  r.set("width", o.width).set("depth", o.depth).set("up", o.up).set("weights", o.weights);
  r.set("epochs", o.epochs).set("steps", o.steps).set("batch_size", o.batch_size).set("lr", o.lr).set("optimizer", o.optimizer);
  r.set("weight_decay", o.weight_decay).set("schedule", o.schedule).set("warmup", o.warmup).set("loss", o.loss);
  r.set("class_weights", o.class_weights).set("augment", o.augment);
  r.set("threads", o.threads).set("workers", o.workers).set("seed", o.seed).set("device", o.device);
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
                      {"--optimizer", o.optimizer},
                      {"--schedule", o.schedule},
                      {"--loss", o.loss},
                      {"--augment", o.augment},
                      {"--class-weights", fmt::format("{}", fmt::join(o.class_weights, ","))}};
  const std::pair<const char*, double> numbers[] = {{"--val-fraction", o.val_fraction}, {"--lr", o.lr}, {"--weight-decay", o.weight_decay}};
  const std::pair<const char*, int64_t> integers[] = {{"--classes", o.classes},
                                                      {"--mask-threshold", o.mask_threshold},
                                                      {"--ignore-index", o.ignore_index},
                                                      {"--width", o.width},
                                                      {"--depth", o.depth},
                                                      {"--batch-size", o.batch_size},
                                                      {"--warmup", o.warmup},
                                                      {"--seed", o.seed}};
  for (const auto& [name, value] : numbers) m[name] = fmt::format("{}", value);
  for (const auto& [name, value] : integers) m[name] = fmt::format("{}", value);
  // A schedule spans all steps: with another number of them each step would differ.
  if (o.schedule != "none") m["--epochs"] = fmt::format("{}", o.epochs);
  return m;
}

}  // namespace programs
