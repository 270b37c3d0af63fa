// Augmentation: steps that change image and mask together, with all their randomness from the sample's own stream.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/function.h"
#include "data/dataset.h"

namespace tapetum::data {

// A step replaces the sample's tensors and never writes into them: a data set may hand out the ones that it keeps. The mask may be
// undefined. Steps are called from several threads at once. Any callable will do; the structs of this folder are the usual ones.
using Transform = Function<void(SegmentationSample&, RandomStream&)>;

class Compose {
 public:
  explicit Compose(std::vector<Transform> steps) : steps_(std::move(steps)) {}
  void operator()(SegmentationSample& sample, RandomStream& stream) const {
    for (const Transform& step : steps_) step(sample, stream);
  }

 private:
  std::vector<Transform> steps_;
};

// Presets: "none"; "light" mirrors left and right, shifts a little and varies the light; "strong" also turns, scales, bends, blurs, adds
// noise and stands pictures on their heads. Any other name throws Error.
Transform augmentation(const std::string& name);

// A data set whose samples pass through a transform.
template <Dataset D> class Transformed {
 public:
  Transformed(D dataset, Transform transform) : dataset_(std::move(dataset)), transform_(std::move(transform)) {}
  int64_t size() const { return dataset_.size(); }
  SegmentationSample get(int64_t index, RandomStream& stream) const {
    SegmentationSample sample = dataset_.get(index, stream);
    transform_(sample, stream);
    return sample;
  }
  std::string name(int64_t index) const { return name_of_sample(dataset_, index); }

 private:
  D dataset_;
  Transform transform_;
};

}  // namespace tapetum::data
