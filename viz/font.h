// Text: an embedded sans serif (Inter) in two weights, measured in pixels and given out as small coverage bitmaps.
// UTF-8 is understood; it holds ASCII and a few signs, any other character shows as an empty box.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "viz/color.h"

namespace tapetum::viz {

enum class Weight { regular, bold };
enum class Align { left, center, right };

struct TextStyle {
  double size = 16;  // pixels from the top of the tallest to the foot of the deepest letter, as in CSS
  Weight weight = Weight::regular;
  Color color = Color::hex(0x1b1f27);
  Align align = Align::left;  // which part of the text stands at x
};

double text_width(std::string_view text, const TextStyle& style);

// The text, or as many of its first characters as fit `width` with an ellipsis after them; empty when not even that fits.
std::string fit_text(std::string_view text, const TextStyle& style, double width);

// One character's coverage, 0 to 255, [height, width] row by row, placed relative to the canvas.
struct GlyphBitmap {
  int64_t x = 0, y = 0, width = 0, height = 0;
  std::vector<uint8_t> coverage;
};
std::vector<GlyphBitmap> rasterize(std::string_view text, const TextStyle& style, double x, double baseline);

}  // namespace tapetum::viz
