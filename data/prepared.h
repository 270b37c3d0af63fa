// Pictures on their way into a classifier: augmented, brought to its size, normalised.
#pragma once
#include <string>

#include "data/classification.h"
#include "data/preprocess.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data {

// u8 samples of a data set as f32 [C, H, W] of preprocess.crop. An augmentation comes first; a picture that it has brought to the crop's size already
// is not resized again.
class Prepared {
 public:
  Prepared(ClassificationData dataset, const Preprocess& preprocess, Transform augment = {});
  int64_t size() const { return dataset_.size(); }
  ClassificationSample get(int64_t index, RandomStream& stream) const;
  std::string name(int64_t index) const { return dataset_.name(index); }

 private:
  ClassificationData dataset_;
  Preprocess preprocess_;
  Transform augment_;
};

}  // namespace tapetum::data
