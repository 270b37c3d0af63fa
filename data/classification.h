// Pictures with one class each.
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

// How many samples each class has. Throws IndexError for a label outside [0, classes).
std::vector<int64_t> class_counts(const std::vector<int64_t>& labels, int64_t classes);

}  // namespace tapetum::data
