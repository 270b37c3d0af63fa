#include "viz/overlay.h"

#include <algorithm>

#include "viz/canvas.h"

namespace tapetum::viz {
namespace {

// Whether a pixel with another label lies within `reach` rows and columns.
bool near_border(const int64_t* labels, int64_t height, int64_t width, int64_t y, int64_t x, int64_t reach) {
  const int64_t own = labels[y * width + x];
  for (int64_t j = std::max<int64_t>(0, y - reach); j <= std::min(height - 1, y + reach); ++j)
    for (int64_t i = std::max<int64_t>(0, x - reach); i <= std::min(width - 1, x + reach); ++i)
      if (labels[j * width + i] != own) return true;
  return false;
}

}  // namespace

Tensor overlay(const Tensor& image, const Tensor& labels, const OverlayOptions& o) {
  const Tensor rgb = to_rgb(image);
  const int64_t height = rgb.size(0), width = rgb.size(1), longest = std::max(height, width);
  Canvas canvas(width, height, {});
  canvas.draw(rgb, {0, 0, static_cast<double>(width), static_cast<double>(height)}, Scaling::nearest);
  const Tensor map = to_labels("overlay", labels, height, width);
  const int64_t* label = map.data<int64_t>();
  const int64_t reach = o.outline == 0 ? std::max<int64_t>(1, (longest + 200) / 400) : std::max<int64_t>(o.outline, 0);
  const double period = std::max(6.0, static_cast<double>(longest) / 60);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const int64_t own = label[y * width + x];
      if (own == o.ignore_index) {
        canvas.blend(x, y, hatch_color(x, y, period), o.opacity);
      } else if (own != 0 || !o.background) {
        const bool edge = reach > 0 && near_border(label, height, width, y, x, reach);
        canvas.blend(x, y, class_color(own), edge ? 1 : o.opacity);
      }
    }
  return canvas.image();
}

}  // namespace tapetum::viz
