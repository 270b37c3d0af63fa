// Pictures with one class each.
//
//   const Cifar10 set({.root = "cifar-10-batches-bin"});
//   auto parts = stratified_split(set, {0.9, 0.1}, 0);
//   DataLoader loader(parts[0], {.batch_size = 128, .shuffle = true, .workers = 2});
//   for (auto& batch : loader) step(batch.image, batch.label);  // u8 [128, 32, 32, 3], i64 [128]
#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace tapetum::data {

struct ClassificationSample {
  Tensor image;  // u8 [H, W, C] as data sets give it; f32 [C, H, W] after transforms
  Tensor label;  // i64 [], below the number of classes
  template <class S, class V> static void fields(S& s, V&& v) {
    v("image", s.image);
    v("label", s.label);
  }
};

using ClassificationData = AnyDataset<ClassificationSample>;

// What every data set of classes offers besides its samples: labels() of all of them, without decoding a picture, and the classes' names.
template <class D>
concept Labelled = Dataset<D> && requires(const D& d) {
  { d.labels() } -> std::convertible_to<std::vector<int64_t>>;
  { d.classes() } -> std::convertible_to<const std::vector<std::string>&>;
};

Tensor label_tensor(int64_t label);  // i64 []

inline constexpr int64_t kMaxClasses = 1 << 20;            // more are a mistake: a wrong number in a file must not make that many names
std::vector<std::string> numbered_classes(int64_t count);  // "0", "1", ...

// How many samples each class has. Throws IndexError for a label outside [0, classes).
std::vector<int64_t> class_counts(const std::vector<int64_t>& labels, int64_t classes);

}  // namespace tapetum::data
