#include "data/tensor_dataset.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/ops/view.h"

namespace tapetum::data {
namespace {

void check(const Tensor& images, const Tensor& labels) {
  if (labels.dtype() != DType::i64) throw DTypeError(fmt::format("tensor_dataset: labels must be i64, got {}", name_of(labels.dtype())));
  if (images.dim() < 1 || labels.dim() != 1 || images.size(0) != labels.size(0))
    throw ShapeError(
        fmt::format("tensor_dataset: expected images [N, ...] and labels [N], got {} and {}", to_string(images.shape()), to_string(labels.shape())));
  for (const Tensor* t : {&images, &labels})
    if (t->device().kind != DeviceKind::cpu) throw DeviceError("tensor_dataset: tensors must be on the CPU, got " + to_string(t->device()));
}

}  // namespace

TensorDataset::TensorDataset(const Tensor& images, const Tensor& labels, std::vector<std::string> classes, std::string title)
    : classes_(std::move(classes)), title_(std::move(title)) {
  check(images, labels);
  images_ = contiguous(images);
  labels_ = contiguous(labels);
  const int64_t* label = labels_.data<int64_t>();
  const int64_t most = classes_.empty() ? kMaxClasses : static_cast<int64_t>(classes_.size());
  int64_t largest = -1;
  for (int64_t i = 0; i < size(); ++i) {
    if (label[i] < 0 || label[i] >= most)
      throw IndexError(fmt::format("tensor_dataset: label {} of {} is outside 0 to {}", label[i], name(i), most - 1));
    largest = std::max(largest, label[i]);
  }
  if (classes_.empty()) classes_ = numbered_classes(largest + 1);
}

std::string TensorDataset::name(int64_t index) const { return fmt::format("{} {}", title_, index); }

std::vector<int64_t> TensorDataset::labels() const { return {labels_.data<int64_t>(), labels_.data<int64_t>() + size()}; }

ClassificationSample TensorDataset::get(int64_t index) const {
  if (index < 0 || index >= size()) throw IndexError(fmt::format("tensor_dataset: expected an index below {}, got {}", size(), index));
  Shape shape;
  for (int64_t d = 1; d < images_.dim(); ++d) shape.push_back(images_.size(d));
  Tensor image = empty(shape, images_.dtype());
  const size_t bytes = static_cast<size_t>(image.numel()) * size_of(image.dtype());
  if (bytes > 0) std::memcpy(image.mutable_raw(), static_cast<const char*>(images_.raw()) + static_cast<size_t>(index) * bytes, bytes);
  return {image, label_tensor(labels_.data<int64_t>()[index])};
}

}  // namespace tapetum::data
