#include "examples/common/class_sets.h"

#include <fmt/core.h>

#include "core/error.h"
#include "data/cifar.h"
#include "data/csv_dataset.h"
#include "data/image_folder.h"
#include "data/mnist.h"
#include "data/split.h"
#include "data/synthetic_shapes.h"
#include "models/presets.h"

namespace programs {
namespace {

namespace data = tapetum::data;

constexpr int64_t kShapes = 2400;

template <data::Labelled D> data::Parts split_indices(const ClassOptions& o, const D& all) {
  const std::vector<double> parts = {1 - o.val_fraction, o.val_fraction};
  const auto seed = static_cast<uint64_t>(o.seed);
  if (o.split == "random") return data::random_split_indices(all.size(), parts, seed);
  if (o.split == "class") return data::stratified_split_indices(all.labels(), parts, seed);
  std::vector<std::string> names;
  for (int64_t i = 0; i < all.size(); ++i) names.push_back(data::name_of_sample(all, i));
  return data::hash_split_indices(names, parts);
}

template <data::Labelled D> ClassSets divided(const ClassOptions& o, const D& all) {
  data::Parts parts = split_indices(o, all);
  for (const auto& part : parts)
    if (part.empty()) throw tapetum::Error(fmt::format("{}: {} pictures are too few to hold back {} of them", o.root, all.size(), o.val_fraction));
  return {data::Subset<D>(all, std::move(parts[0])), data::Subset<D>(all, std::move(parts[1])), all.classes(), {}};
}

template <data::Labelled D> ClassSets two(const D& train, const D& val, const std::string& what) {
  if (train.classes() != val.classes()) throw tapetum::Error(fmt::format("{}: its classes are not those of --root", what));
  return {train, val, train.classes(), {}};
}

void note_skipped(ClassSets& sets, const data::LabelledFiles& files) {
  for (const data::SkippedFile& s : files.skipped()) sets.skipped.push_back(fmt::format("{}: {}", s.path, s.reason));
}

// Sets that come in two parts.
template <class Open> ClassSets with_test_set(const ClassOptions& o, Open open) {
  const auto train = open(true);
  return o.hold_out ? divided(o, train) : two(train, open(false), o.root);
}

// Files with classes: one table or folder, which is divided, or two.
template <class Open> ClassSets from_files(const ClassOptions& o, Open open) {
  const auto all = open(o.root);
  ClassSets sets = [&] {
    if (o.val_root.empty()) return divided(o, all);
    const auto val = open(o.val_root);
    ClassSets both = two(all, val, o.val_root);
    note_skipped(both, val);
    return both;
  }();
  note_skipped(sets, all);
  return sets;
}

}  // namespace

ClassSets make_class_sets(const ClassOptions& o) {
  const data::ImageFileOptions images{.on_error = o.skip_broken ? data::OnError::skip : data::OnError::raise};
  if (o.data == "synthetic") return divided(o, data::SyntheticShapes({.count = kShapes, .seed = static_cast<uint64_t>(o.seed)}));
  if (o.data == "cifar10") return with_test_set(o, [&](bool train) { return data::Cifar10({.root = o.root, .train = train}); });
  if (o.data == "cifar100") return with_test_set(o, [&](bool train) { return data::Cifar100({.root = o.root, .train = train}); });
  if (o.data == "mnist") return with_test_set(o, [&](bool train) { return data::Mnist({.root = o.root, .train = train}); });
  if (o.data == "fashion_mnist") return with_test_set(o, [&](bool train) { return data::FashionMnist({.root = o.root, .train = train}); });
  if (o.data == "imagefolder") return from_files(o, [&](const std::string& root) { return data::ImageFolder(root, images); });
  return from_files(o, [&](const std::string& csv) {
    return data::CsvDataset({.csv = csv, .file_column = o.csv_file, .label_column = o.csv_label, .images = images});
  });
}

data::Preprocess preprocess_for(const ClassOptions& o, tapetum::Size2 own) {
  const bool gray = o.data == "mnist" || o.data == "fashion_mnist", small = o.data != "imagefolder" && o.data != "csv";
  data::Preprocess p = tapetum::models::preset(gray ? "mnist" : o.data == "cifar10" || o.data == "cifar100" ? "cifar10_own" : "imagenet");
  p.crop = o.size == tapetum::Size2(0) ? (small ? tapetum::Size2(32) : own) : o.size;
  const int64_t side = std::min(p.crop.h, p.crop.w);
  p.resize = small ? side : side + side / 7;  // photographs: 256 for 224
  return p;
}

}  // namespace programs
