// A classification data set that lies in memory as two tensors.
#pragma once
#include <string>
#include <vector>

#include "data/classification.h"

namespace tapetum::data {

// `images` [N, ...]: u8 [N, H, W, C], or what a model takes; `labels` i64 [N]. Both on the CPU. Samples are copies, so they may be written to.
// Throws ShapeError, DTypeError or DeviceError for other tensors, and IndexError for a label that has no class. Without names, classes are
// called "0", "1", ... up to the largest label. `title` begins the samples' names: "cifar10 train 17".
class TensorDataset {
 public:
  TensorDataset(const Tensor& images, const Tensor& labels, std::vector<std::string> classes = {}, std::string title = "sample");
  int64_t size() const { return images_.size(0); }
  std::string name(int64_t index) const;
  ClassificationSample get(int64_t index) const;
  ClassificationSample get(int64_t index, RandomStream&) const { return get(index); }
  const std::vector<std::string>& classes() const { return classes_; }
  std::vector<int64_t> labels() const;
  const Tensor& images() const { return images_; }

 private:
  Tensor images_, labels_;
  std::vector<std::string> classes_;
  std::string title_;
};

}  // namespace tapetum::data
