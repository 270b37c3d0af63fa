#include "data/transforms/targets.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/ops/view.h"

namespace tapetum::data {
namespace {

struct Box {
  double left, top, right, bottom;
  double area() const { return std::max(0., right - left) * std::max(0., bottom - top); }
};

Box box_at(const Tensor& boxes, int64_t i) {
  const float* b = boxes.data<float>() + 4 * i;
  return {b[0], b[1], b[2], b[3]};
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Box kNothing{kInfinity, kInfinity, -kInfinity, -kInfinity};

void extend(Box& box, double x, double y) { box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x), std::max(box.bottom, y)}; }

// Clips the boxes and drops, with their labels, those of which too little is left.
void settle_boxes(ImageSample& sample, const std::vector<Box>& boxes, Size2 size) {
  std::vector<float> numbers;
  std::vector<int64_t> labels;
  const bool labelled = sample.labels.defined();
  const Tensor old = labelled ? contiguous(sample.labels) : Tensor();
  for (size_t i = 0; i < boxes.size(); ++i) {
    const Box& b = boxes[i];
    const auto w = static_cast<double>(size.w), h = static_cast<double>(size.h);
    const Box inside{std::clamp(b.left, 0., w), std::clamp(b.top, 0., h), std::clamp(b.right, 0., w), std::clamp(b.bottom, 0., h)};
    const float put[] = {static_cast<float>(inside.left), static_cast<float>(inside.top), static_cast<float>(inside.right),
                         static_cast<float>(inside.bottom)};
    const double area = inside.area();
    if (!(put[2] > put[0] && put[3] > put[1]) || area < sample.rules.min_area || area < sample.rules.min_visibility * b.area()) continue;
    numbers.insert(numbers.end(), put, put + 4);
    if (labelled) labels.push_back(old.data<int64_t>()[i]);
  }
  sample.boxes = empty({static_cast<int64_t>(numbers.size()) / 4, 4});
  std::copy(numbers.begin(), numbers.end(), sample.boxes.mutable_data<float>());
  if (!labelled) return;
  sample.labels = empty({static_cast<int64_t>(labels.size())}, DType::i64);
  std::copy(labels.begin(), labels.end(), sample.labels.mutable_data<int64_t>());
}

struct Point {
  double x, y;
};

void settle_keypoints(ImageSample& sample, const std::vector<Point>& points, Size2 size) {
  std::vector<float> numbers;
  for (const auto& [x, y] : points) {
    const bool inside = x >= -0.5 && y >= -0.5 && x < static_cast<double>(size.w) - 0.5 && y < static_cast<double>(size.h) - 0.5;
    if (inside || sample.rules.keep_outside_keypoints) numbers.insert(numbers.end(), {static_cast<float>(x), static_cast<float>(y)});
  }
  sample.keypoints = empty({static_cast<int64_t>(numbers.size()) / 2, 2});
  std::copy(numbers.begin(), numbers.end(), sample.keypoints.mutable_data<float>());
}

// The new place whose source is nearest to (x, y); outside the picture when none is within a pixel and a half.
Point place_of(const PixelMap& map, double x, double y) {
  double best = 1.5 * 1.5;
  Point found{-kInfinity, -kInfinity};
  for (int64_t v = 0; v < map.size().h; ++v)
    for (int64_t u = 0; u < map.size().w; ++u) {
      const double dx = map.x(v, u) - x, dy = map.y(v, u) - y, distance = dx * dx + dy * dy;
      if (distance < best) best = distance, found = {static_cast<double>(u) - dx, static_cast<double>(v) - dy};
    }
  return found;
}

}  // namespace

Image image_of(const char* op, const ImageSample& sample) {
  if (!sample.image.defined()) throw ShapeError(fmt::format("{}: expected a sample with an image", op));
  if (sample.image.dtype() != DType::u8)
    throw DTypeError(fmt::format("{}: expected an image u8 [H, W, C], got {} {}: ToTensor and Normalize come after it", op,
                                 name_of(sample.image.dtype()), to_string(sample.image.shape())));
  return Image(sample.image);
}

Image checked_image_of(const char* op, ImageSample& sample) {
  Image image = image_of(op, sample);
  check_sample(op, sample);
  return image;
}

void move_targets(ImageSample& sample, const Projection& p, Size2 size) {
  if (sample.boxes.defined()) {
    const Tensor old = contiguous(sample.boxes);
    std::vector<Box> boxes;
    for (int64_t i = 0; i < old.size(0); ++i) {
      const Box b = box_at(old, i);
      Box moved = kNothing;
      for (const auto& [x, y] : {Point{b.left, b.top}, Point{b.right, b.top}, Point{b.left, b.bottom}, Point{b.right, b.bottom}}) {
        const auto [u, v] = p(x - 0.5, y - 0.5);
        extend(moved, u + 0.5, v + 0.5);
      }
      boxes.push_back(moved);
    }
    settle_boxes(sample, boxes, size);
  }
  if (!sample.keypoints.defined()) return;
  const Tensor old = contiguous(sample.keypoints);
  std::vector<Point> points;
  for (int64_t i = 0; i < old.size(0); ++i) {
    const auto [x, y] = p(old.data<float>()[2 * i], old.data<float>()[2 * i + 1]);
    points.push_back({x, y});
  }
  settle_keypoints(sample, points, size);
}

void move_targets(ImageSample& sample, const PixelMap& map) {
  const Size2 size = map.size();
  if (sample.boxes.defined()) {
    const Tensor old = contiguous(sample.boxes);
    std::vector<Box> boxes(static_cast<size_t>(old.size(0)), kNothing);
    for (size_t i = 0; i < boxes.size(); ++i) {
      const Box b = box_at(old, static_cast<int64_t>(i));
      for (int64_t y = 0; y < size.h; ++y)
        for (int64_t x = 0; x < size.w; ++x) {
          const double sx = map.x(y, x) + 0.5, sy = map.y(y, x) + 0.5;
          if (sx < b.left || sx >= b.right || sy < b.top || sy >= b.bottom) continue;
          extend(boxes[i], static_cast<double>(x), static_cast<double>(y));
          extend(boxes[i], static_cast<double>(x + 1), static_cast<double>(y + 1));
        }
    }
    settle_boxes(sample, boxes, size);
  }
  if (!sample.keypoints.defined()) return;
  const Tensor old = contiguous(sample.keypoints);
  std::vector<Point> points;
  for (int64_t i = 0; i < old.size(0); ++i) points.push_back(place_of(map, old.data<float>()[2 * i], old.data<float>()[2 * i + 1]));
  settle_keypoints(sample, points, size);
}

void crop_sample(ImageSample& sample, const Image& image, int64_t top, int64_t left, Size2 size) {
  sample.image = crop(image, top, left, size).tensor();
  if (sample.mask.defined()) sample.mask = crop(sample.mask, top, left, size);
  move_targets(sample, translation(static_cast<double>(-left), static_cast<double>(-top)), size);
}

void resize_sample(ImageSample& sample, const Image& image, Size2 size, Filter filter) {
  const Size2 old(image.height(), image.width());
  sample.image = resize(image, size, filter).tensor();
  if (old == size) return;
  if (sample.mask.defined()) sample.mask = resize_nearest(sample.mask, size);
  const double sx = static_cast<double>(size.w) / static_cast<double>(old.w), sy = static_cast<double>(size.h) / static_cast<double>(old.h);
  move_targets(sample, translation(-0.5, -0.5) * scaling(sx, sy) * translation(0.5, 0.5), size);
}

void pad_sample(ImageSample& sample, const Image& image, const Padding4& by, Border border, Fill fill, int64_t fill_mask) {
  sample.image = pad(image, by.top, by.bottom, by.left, by.right, border, fill).tensor();
  if (sample.mask.defined()) sample.mask = pad(sample.mask, by.top, by.bottom, by.left, by.right, border, fill_mask);
  move_targets(sample, translation(static_cast<double>(by.left), static_cast<double>(by.top)), size_of_image(sample));
}

void warp_sample(ImageSample& sample, const Image& image, const Projection& p, Size2 size, const WarpOptions& o) {
  const PixelMap map = map_of(p.inverse(), size);
  sample.image = remap(image, map, o.interpolation, o.border_mode, o.fill).tensor();
  if (sample.mask.defined()) sample.mask = remap(sample.mask, map, o.border_mode, o.fill_mask);
  move_targets(sample, p, size);
}

void warp_sample(ImageSample& sample, const Image& image, const PixelMap& map, const WarpOptions& o) {
  sample.image = remap(image, map, o.interpolation, o.border_mode, o.fill).tensor();
  if (sample.mask.defined()) sample.mask = remap(sample.mask, map, o.border_mode, o.fill_mask);
  move_targets(sample, map);
}

}  // namespace tapetum::data
