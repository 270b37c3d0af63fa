// Made-up pictures for the tests of drawing.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/random.h"
#include "viz/canvas.h"
#include "viz/panel.h"

namespace tapetum::test {

inline bool same_pixels(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data<uint8_t>(), b.data<uint8_t>(), static_cast<size_t>(a.numel())) == 0;
}

inline viz::Color pixel(const Tensor& image, int64_t x, int64_t y) {
  const uint8_t* p = image.data<uint8_t>() + (y * image.size(1) + x) * 3;
  return {p[0], p[1], p[2]};
}

// Whether every pixel within `border` of the edge has the colour of the top left one.
inline bool border_is_empty(const Tensor& image, int64_t border) {
  const viz::Color paper = pixel(image, 0, 0);
  const int64_t height = image.size(0), width = image.size(1);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const bool inside = x >= border && y >= border && x < width - border && y < height - border;
      if (!inside && pixel(image, x, y) != paper) return false;
    }
  return true;
}

// Noise, with discs of random classes in the truth and moved ones in the prediction.
inline viz::PanelRow sample(int64_t height, int64_t width, int64_t classes, uint64_t seed) {
  RandomStream random(seed);
  viz::PanelRow row{empty({height, width, 3}, DType::u8), empty({height, width}, DType::i64), empty({height, width}, DType::i64), "sample"};
  struct Disc {
    double x, y, radius, shift;
    int64_t label;
  };
  std::vector<Disc> discs;
  const double size = static_cast<double>(std::min(height, width));
  for (int64_t i = 1; i < classes; ++i)
    discs.push_back({random.uniform(0, static_cast<double>(width)), random.uniform(0, static_cast<double>(height)), size * random.uniform(0.1, 0.3),
                     size * 0.02, i});
  uint8_t* image = row.image.mutable_data<uint8_t>();
  int64_t *truth = row.truth.mutable_data<int64_t>(), *prediction = row.prediction.mutable_data<int64_t>();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x, ++truth, ++prediction) {
      *truth = *prediction = 0;
      for (const Disc& d : discs) {
        const double dx = static_cast<double>(x) - d.x, dy = static_cast<double>(y) - d.y;
        if (std::hypot(dx, dy) < d.radius) *truth = d.label;
        if (std::hypot(dx - d.shift, dy) < d.radius) *prediction = d.label;
      }
      for (int c = 0; c < 3; ++c) *image++ = static_cast<uint8_t>(random.integer(256));
    }
  return row;
}

}  // namespace tapetum::test
