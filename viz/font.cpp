#include "viz/font.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "viz/font_data.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#include <stb_truetype.h>
#pragma GCC diagnostic pop

namespace tapetum::viz {
namespace {

struct Face {
  stbtt_fontinfo info;
  double units;  // font units in one pixel of a text of size 1
  explicit Face(const uint8_t* bytes) {
    if (!stbtt_InitFont(&info, bytes, 0)) throw FormatError("font: the embedded font cannot be read");
    units = 1 / stbtt_ScaleForMappingEmToPixels(&info, 1);
  }
};

const Face& face(Weight weight) {
  static const Face regular(kInterRegular), bold(kInterSemiBold);
  return weight == Weight::regular ? regular : bold;
}

// The next code point of UTF-8; a byte that begins none stands for U+FFFD.
int next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const int first = byte(at++);
  if (first < 0x80) return first;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  if (!more || at + more > text.size()) return 0xfffd;
  int code = first & (0x3f >> more);
  for (int i = 0; i < more; ++i) {
    if ((byte(at) & 0xc0) != 0x80) return 0xfffd;
    code = code << 6 | (byte(at++) & 0x3f);
  }
  return code;
}

// Calls f(glyph, x) with the pen's place before each character, in pixels from the start; returns the whole advance.
template <class F> double walk(std::string_view text, const TextStyle& style, F&& f) {
  const Face& font = face(style.weight);
  const double scale = style.size / font.units;
  double pen = 0;
  int previous = 0;
  for (size_t at = 0; at < text.size();) {
    const int glyph = stbtt_FindGlyphIndex(&font.info, next_code_point(text, at));
    if (previous) pen += scale * stbtt_GetGlyphKernAdvance(&font.info, previous, glyph);
    f(glyph, pen);
    int advance, bearing;
    stbtt_GetGlyphHMetrics(&font.info, glyph, &advance, &bearing);
    pen += scale * advance;
    previous = glyph;
  }
  return pen;
}

}  // namespace

double text_width(std::string_view text, const TextStyle& style) {
  return walk(text, style, [](int, double) {});
}

std::string fit_text(std::string_view text, const TextStyle& style, double width) {
  width += 1e-6;  // callers subtract what they measured: rounding must not cost a letter
  if (text_width(text, style) <= width) return std::string(text);
  while (!text.empty()) {
    while (text.size() > 1 && (static_cast<uint8_t>(text.back()) & 0xc0) == 0x80) text.remove_suffix(1);  // a character's later bytes
    text.remove_suffix(1);
    const std::string shorter = std::string(text) + "\u2026";
    if (text_width(shorter, style) <= width) return shorter;
  }
  return {};
}

std::vector<GlyphBitmap> rasterize(std::string_view text, const TextStyle& style, double x, double baseline) {
  if (style.align != Align::left) x -= text_width(text, style) * (style.align == Align::center ? 0.5 : 1);
  const stbtt_fontinfo* info = &face(style.weight).info;
  const float scale = static_cast<float>(style.size / face(style.weight).units);
  const double row = std::floor(baseline + 0.5);  // feet on whole pixels are sharper
  std::vector<GlyphBitmap> glyphs;
  walk(text, style, [&](int glyph, double pen) {
    const double left = std::floor(x + pen);
    const float shift = static_cast<float>(x + pen - left);
    int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    stbtt_GetGlyphBitmapBoxSubpixel(info, glyph, scale, scale, shift, 0, &x0, &y0, &x1, &y1);
    if (x1 <= x0 || y1 <= y0) return;
    GlyphBitmap g{static_cast<int64_t>(left) + x0, static_cast<int64_t>(row) + y0, x1 - x0, y1 - y0, {}};
    g.coverage.resize(static_cast<size_t>(g.width * g.height));
    stbtt_MakeGlyphBitmapSubpixel(info, g.coverage.data(), x1 - x0, y1 - y0, x1 - x0, scale, scale, shift, 0, glyph);
    glyphs.push_back(std::move(g));
  });
  return glyphs;
}

}  // namespace tapetum::viz
