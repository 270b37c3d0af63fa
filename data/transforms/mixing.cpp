#include "data/transforms/mixing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/view.h"
#include "data/transforms/draws.h"
#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

Tensor soft_labels(const char* op, const Tensor& labels, int64_t batch, int64_t classes) {
  if (labels.defined() && labels.dtype() == DType::f32 && labels.dim() == 2 && labels.size(0) == batch) return labels;
  if (!labels.defined() || labels.dtype() != DType::i64 || labels.dim() != 1 || labels.size(0) != batch)
    throw ShapeError(fmt::format("{}: expected labels i64 [{}] or f32 [{}, classes]", op, batch, batch));
  const Tensor dense = contiguous(labels);
  Tensor result = zeros({batch, classes});
  for (int64_t i = 0; i < batch; ++i) {
    const int64_t label = dense.data<int64_t>()[i];
    if (label < 0 || label >= classes) throw IndexError(fmt::format("{}: expected labels below num_classes = {}, got {}", op, classes, label));
    result.mutable_data<float>()[i * classes + label] = 1;
  }
  return result;
}

void check_batch(const char* op, const LabelledBatch& batch, double alpha, double p) {
  check_probability(op, p);
  if (!(alpha > 0)) throw Error(fmt::format("{}: expected alpha above 0, got {}", op, alpha));
  if (!batch.images.defined() || batch.images.dtype() != DType::f32 || batch.images.dim() != 4)
    throw ShapeError(fmt::format("{}: expected images f32 [N, C, H, W]", op));
}

Tensor mixed(const Tensor& a, double share) { return a * share + roll(a, {1}, {0}) * (1 - share); }

// Scaled to cover `size`, ratio kept, and cut to its middle.
void cover(ImageSample& sample, Size2 size) {
  const Image image = checked_image_of("mosaic", sample);
  const double factor =
      std::max(static_cast<double>(size.h) / static_cast<double>(image.height()), static_cast<double>(size.w) / static_cast<double>(image.width()));
  const auto side = [&](int64_t n, int64_t least) { return std::max<int64_t>(least, std::llrint(static_cast<double>(n) * factor)); };
  resize_sample(sample, image, {side(image.height(), size.h), side(image.width(), size.w)}, Filter::bilinear);
  const Image large(sample.image);
  crop_sample(sample, large, (large.height() - size.h) / 2, (large.width() - size.w) / 2, size);
}

// Rows [N, columns] of all parts that have them, one after the other, shifted by each part's place.
Tensor joined(const std::array<ImageSample, 4>& parts, Tensor ImageSample::*field, const std::array<Size2, 4>& places) {
  std::vector<Tensor> rows;
  for (size_t i = 0; i < 4; ++i) {
    const Tensor& t = parts[i].*field;
    if (!t.defined()) continue;
    Tensor moved = clone(contiguous(t));
    if (t.dtype() == DType::f32)
      for (int64_t k = 0; k < moved.numel(); ++k) moved.mutable_data<float>()[k] += static_cast<float>(k % 2 == 0 ? places[i].w : places[i].h);
    rows.push_back(moved);
  }
  return rows.empty() ? Tensor() : cat(rows);
}

void paste(Tensor& to, const Tensor& part, Size2 place) {
  Tensor window = narrow(narrow(to, 0, place.h, part.size(0)), 1, place.w, part.size(1));
  copy_(window, part);
}

}  // namespace

LabelledBatch MixUp::operator()(const LabelledBatch& batch, RandomStream& stream) const {
  check_batch("mixup", batch, alpha, p);
  const Tensor labels = soft_labels("mixup", batch.labels, batch.images.size(0), num_classes);
  if (!stream.chance(p)) return {batch.images, labels};
  const double share = draw_beta(stream, alpha, alpha);
  return {mixed(batch.images, share), mixed(labels, share)};
}

LabelledBatch CutMix::operator()(const LabelledBatch& batch, RandomStream& stream) const {
  check_batch("cutmix", batch, alpha, p);
  const Tensor labels = soft_labels("cutmix", batch.labels, batch.images.size(0), num_classes);
  if (!stream.chance(p)) return {batch.images, labels};
  const int64_t h = batch.images.size(2), w = batch.images.size(3);
  const double part = 0.5 * std::sqrt(1 - draw_beta(stream, alpha, alpha));
  const int64_t x = stream.integer(w), y = stream.integer(h), half_w = static_cast<int64_t>(part * static_cast<double>(w)),
                half_h = static_cast<int64_t>(part * static_cast<double>(h));
  const int64_t left = std::max<int64_t>(0, x - half_w), right = std::min(w, x + half_w), top = std::max<int64_t>(0, y - half_h),
                bottom = std::min(h, y + half_h);
  Tensor images = clone(batch.images);
  if (right > left && bottom > top) {
    Tensor window = narrow(narrow(images, 2, top, bottom - top), 3, left, right - left);
    copy_(window, narrow(narrow(roll(batch.images, {1}, {0}), 2, top, bottom - top), 3, left, right - left));
  }
  return {images, mixed(labels, 1 - static_cast<double>((right - left) * (bottom - top)) / static_cast<double>(h * w))};
}

ImageSample mosaic(std::array<ImageSample, 4> parts, const MosaicOptions& o, RandomStream& stream) {
  if (o.size.h < 2 || o.size.w < 2) throw ShapeError(fmt::format("mosaic: expected a size of 2 or more, got {} x {}", o.size.h, o.size.w));
  const auto meet = [&](int64_t n) {
    return std::clamp<int64_t>(std::llrint(static_cast<double>(n) * stream.uniform(o.center_range.low, o.center_range.high)), 1, n - 1);
  };
  const int64_t y = meet(o.size.h), x = meet(o.size.w);
  const std::array<Size2, 4> places = {Size2(0, 0), Size2(0, x), Size2(y, 0), Size2(y, x)};
  size_t masks = 0, boxes = 0, labels = 0;
  for (size_t i = 0; i < 4; ++i) {
    parts[i].rules = o.rules;
    cover(parts[i], {places[i].h ? o.size.h - y : y, places[i].w ? o.size.w - x : x});
    if (parts[i].image.size(2) != parts[0].image.size(2) || (parts[i].mask.defined() && parts[i].mask.dtype() != parts[0].mask.dtype()))
      throw ShapeError("mosaic: expected pictures of the same number of channels, and masks of one dtype");
    masks += parts[i].mask.defined(), boxes += parts[i].boxes.defined(), labels += parts[i].labels.defined();
  }
  for (const size_t n : {masks, boxes, labels})
    if (n % 4) throw ShapeError("mosaic: expected masks, boxes and labels in all four samples or in none");
  ImageSample result;
  result.image = empty({o.size.h, o.size.w, parts[0].image.size(2)}, DType::u8);
  if (masks) result.mask = empty({o.size.h, o.size.w}, parts[0].mask.dtype());
  for (size_t i = 0; i < 4; ++i) {
    paste(result.image, parts[i].image, places[i]);
    if (masks) paste(result.mask, parts[i].mask, places[i]);
  }
  result.boxes = joined(parts, &ImageSample::boxes, places);
  result.labels = joined(parts, &ImageSample::labels, places);
  result.keypoints = joined(parts, &ImageSample::keypoints, places);
  return result;
}

}  // namespace tapetum::data
