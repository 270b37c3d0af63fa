// Several samples into one: MixUp and CutMix of batches for classification, Mosaic of a data set's samples.
#pragma once
#include <array>

#include "core/error.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data {

// A batch for classification. Labels are i64 [N] going in, or f32 [N, classes] already; f32 [N, classes] coming out: cross_entropy takes both.
struct LabelledBatch {
  Tensor images;  // f32 [N, C, H, W]
  Tensor labels;
};

// Zhang et al., 2018, torchvision's: each image is mixed with the one before it in the batch (so shuffle), the labels alike. The share is
// drawn from Beta(alpha, alpha), once a batch.
struct MixUp {
  int64_t num_classes = 0;  // needed for labels of i64
  double alpha = 1, p = 1;
  LabelledBatch operator()(const LabelledBatch& batch, RandomStream& stream) const;
};

// Yun et al., 2019: a rectangle of the image before it in the batch; labels are mixed by area.
struct CutMix {
  int64_t num_classes = 0;
  double alpha = 1, p = 1;
  LabelledBatch operator()(const LabelledBatch& batch, RandomStream& stream) const;
};

struct MosaicOptions {
  Size2 size = 640;                 // of the new picture
  Range center_range = {0.3, 0.7};  // where the four pictures meet, in parts of the sides
  TargetRules rules = {.min_visibility = 0.1};
  double p = 1;  // else the sample alone, as it is
};

// Four pictures around a point: upper left, upper right, lower left, lower right, each scaled to cover its part and cut to its middle. All must
// have the same number of channels; masks, boxes and labels come along; keypoints too.
ImageSample mosaic(std::array<ImageSample, 4> parts, const MosaicOptions& options, RandomStream& stream);

// A data set whose samples are mosaics of the asked sample and three that are drawn. Place it below Transformed.
template <Dataset D> class Mosaic {
 public:
  Mosaic(D dataset, const MosaicOptions& options) : dataset_(std::move(dataset)), options_(options) {
    check_probability("Mosaic", options.p);
    check_range("Mosaic", "center_range", options.center_range, 0, 1);
  }
  int64_t size() const { return dataset_.size(); }
  ImageSample get(int64_t index, RandomStream& stream) const {
    ImageSample first = dataset_.get(index, stream);
    if (!stream.chance(options_.p)) return first;
    std::array<ImageSample, 4> parts = {std::move(first)};
    for (size_t i = 1; i < 4; ++i) parts[i] = dataset_.get(stream.integer(dataset_.size()), stream);
    return mosaic(std::move(parts), options_, stream);
  }
  std::string name(int64_t index) const { return name_of_sample(dataset_, index); }

 private:
  D dataset_;
  MosaicOptions options_;
};

}  // namespace tapetum::data
