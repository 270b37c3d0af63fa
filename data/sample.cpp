#include "data/sample.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/ops/index.h"
#include "core/ops/view.h"

namespace tapetum::data {
namespace {

bool is_integer(DType t) { return t == DType::u8 || t == DType::i32 || t == DType::i64; }

void check_numbers(const char* op, const char* field, const Tensor& t, int64_t columns) {
  if (t.dtype() != DType::f32) throw DTypeError(fmt::format("{}: expected {} of f32, got {}", op, field, name_of(t.dtype())));
  if (t.dim() != 2 || t.size(1) != columns)
    throw ShapeError(fmt::format("{}: expected {} [N, {}], got {}", op, field, columns, to_string(t.shape())));
}

// Rows of boxes and labels whose numbers are given.
void keep_rows(ImageSample& sample, const std::vector<int64_t>& rows) {
  const Tensor boxes = contiguous(sample.boxes);
  const auto count = static_cast<int64_t>(rows.size());
  Tensor kept = empty({count, 4});
  for (int64_t i = 0; i < count; ++i) std::copy_n(boxes.data<float>() + 4 * rows[static_cast<size_t>(i)], 4, kept.mutable_data<float>() + 4 * i);
  sample.boxes = kept;
  if (!sample.labels.defined()) return;
  const Tensor labels = contiguous(sample.labels);
  Tensor kept_labels = empty({count}, DType::i64);
  for (int64_t i = 0; i < count; ++i) kept_labels.mutable_data<int64_t>()[i] = labels.data<int64_t>()[rows[static_cast<size_t>(i)]];
  sample.labels = kept_labels;
}

void check_boxes(const char* op, ImageSample& sample) {
  check_numbers(op, "boxes", sample.boxes, 4);
  if (sample.labels.defined() && (sample.labels.dim() != 1 || sample.labels.size(0) != sample.boxes.size(0) || sample.labels.dtype() != DType::i64))
    throw ShapeError(fmt::format("{}: expected one label of i64 for each of {} boxes, got {} {}", op, sample.boxes.size(0),
                                 name_of(sample.labels.dtype()), to_string(sample.labels.shape())));
  const Tensor dense = contiguous(sample.boxes);
  std::vector<int64_t> good;
  for (int64_t i = 0; i < dense.size(0); ++i) {
    const float* b = dense.data<float>() + 4 * i;
    const bool finite = std::isfinite(b[0]) && std::isfinite(b[1]) && std::isfinite(b[2]) && std::isfinite(b[3]);
    const bool has_area = b[2] > b[0] && b[3] > b[1];
    if (!finite || (!has_area && !sample.rules.drop_empty_boxes))
      throw ShapeError(
          fmt::format("{}: expected boxes left, top, right, bottom with an area, got box {}: {}, {}, {}, {}", op, i, b[0], b[1], b[2], b[3]));
    if (has_area) good.push_back(i);
  }
  if (static_cast<int64_t>(good.size()) != dense.size(0)) keep_rows(sample, good);
}

}  // namespace

Size2 size_of_image(const ImageSample& sample) {
  const Tensor& image = sample.image;
  if (!image.defined() || image.dim() != 3) throw ShapeError("sample: expected an image of three dimensions, got none");
  return image.dtype() == DType::u8 ? Size2(image.size(0), image.size(1)) : Size2(image.size(1), image.size(2));
}

void check_sample(const char* op, ImageSample& sample) {
  const Size2 size = size_of_image(sample);
  if (const Tensor& mask = sample.mask; mask.defined()) {
    if (!is_integer(mask.dtype())) throw DTypeError(fmt::format("{}: expected a mask of u8, i32 or i64, got {}", op, name_of(mask.dtype())));
    if (mask.dim() != 2 || mask.size(0) != size.h || mask.size(1) != size.w)
      throw ShapeError(fmt::format("{}: expected a mask of the image's size, [{}, {}], got {}", op, size.h, size.w, to_string(mask.shape())));
  }
  if (sample.boxes.defined()) check_boxes(op, sample);
  if (sample.keypoints.defined()) check_numbers(op, "keypoints", sample.keypoints, 2);
}

}  // namespace tapetum::data
