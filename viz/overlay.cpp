#include "viz/overlay.h"

#include <algorithm>
#include <vector>

#include "viz/canvas.h"

namespace tapetum::viz {
namespace {

// For each pixel whether another label lies within `reach` rows and columns: first along the row, then along the column, since a square
// is of one label where its middle column is and each row of it is.
std::vector<bool> borders(const int64_t* labels, int64_t height, int64_t width, int64_t reach) {
  std::vector<bool> in_row(static_cast<size_t>(height * width)), in_square(in_row.size());
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const int64_t* row = labels + y * width;
      for (int64_t i = std::max<int64_t>(0, x - reach); i <= std::min(width - 1, x + reach); ++i)
        if (row[i] != row[x]) in_row[static_cast<size_t>(y * width + x)] = true;
    }
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t j = std::max<int64_t>(0, y - reach); j <= std::min(height - 1, y + reach); ++j)
        if (in_row[static_cast<size_t>(j * width + x)] || labels[j * width + x] != labels[y * width + x])
          in_square[static_cast<size_t>(y * width + x)] = true;
  return in_square;
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
  const std::vector<bool> edge = borders(label, height, width, reach);
  const double period = std::max(6.0, static_cast<double>(longest) / 60);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const int64_t own = label[y * width + x];
      if (own == o.ignore_index) {
        canvas.blend(x, y, hatch_color(x, y, period), o.opacity);
      } else if (own != 0 || !o.background) {
        canvas.blend(x, y, class_color(own), edge[static_cast<size_t>(y * width + x)] ? 1 : o.opacity);
      }
    }
  return canvas.image();
}

}  // namespace tapetum::viz
