#include "data/pixels/colour_space.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "data/pixels/tables.h"

namespace tapetum::data {
namespace {

// A new image of f(pixel, new pixel).
template <class F> Image by_pixel(const char* op, const Image& image, F f) {
  if (image.channels() != 3) throw ShapeError(fmt::format("{}: expected an image of 3 channels, got {}", op, image.channels()));
  Image result(image.height(), image.width(), 3);
  const uint8_t* from = image.row(0);
  uint8_t* to = result.mutable_row(0);
  for (int64_t i = 0; i < image.height() * image.width(); ++i, from += 3, to += 3) f(from, to);
  return result;
}

uint8_t rounded(double v) { return static_cast<uint8_t>(std::lrint(std::clamp(v, 0., 255.))); }
uint8_t byte(int v) { return static_cast<uint8_t>(std::clamp(v, 0, 255)); }
int descaled(int64_t v, int bits) { return static_cast<int>((v + (int64_t{1} << (bits - 1))) >> bits); }

// Quotients of 12 bits: 255 / i and 30 / i.
struct HsvTables {
  int saturation[256] = {}, hue[256] = {};
  HsvTables() {
    for (int i = 1; i < 256; ++i) {
      saturation[i] = static_cast<int>(std::lrint((255 << 12) / (1. * i)));
      hue[i] = static_cast<int>(std::lrint((180 << 12) / (6. * i)));
    }
  }
};

constexpr int kGammaBits = 3, kBits = 12, kRootBits = kGammaBits + kBits;  // of linear light, of the matrix, of cube roots
constexpr double kMatrix[3][3] = {{0.412453, 0.357580, 0.180423}, {0.212671, 0.715160, 0.072169}, {0.019334, 0.119193, 0.950227}};  // sRGB to XYZ
constexpr double kWhite[3] = {0.950456, 1, 1.088754};                                                                               // D65

double to_linear(double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); }
double from_linear(double v) { return v <= 0.0031308 ? v * 12.92 : 1.055 * std::pow(v, 1 / 2.4) - 0.055; }

struct LabTables {
  int gamma[256], matrix[3][3];
  std::vector<uint16_t> root;  // of x / (255 * 8), in 15 bits
  LabTables() : root(256 * 3 / 2 << kGammaBits) {
    for (int i = 0; i < 256; ++i) gamma[i] = static_cast<int>(std::lrint(255 * (1 << kGammaBits) * to_linear(i / 255.)));
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) matrix[i][j] = static_cast<int>(std::lrint(kMatrix[i][j] / kWhite[i] * (1 << kBits)));
    for (size_t i = 0; i < root.size(); ++i) {
      const float x = static_cast<float>(i) / (255 << kGammaBits),
                  f = x < 216.f / 24389 ? std::fma(x, 841.f / 108, 16.f / 116) : static_cast<float>(std::cbrt(double{x}));
      root[i] = static_cast<uint16_t>(std::ceil((1 << kRootBits) * f - 0.5f));  // in f32, a tie down: the numbers that OpenCV has
    }
  }
};

// The way back in whole numbers: 14 bits of light and of its roots, 12 of the matrix and of what is displayed.
struct RgbTables {
  static constexpr int kOne = 1 << 14, kLevels = 1 << 12;
  int matrix[3][3], y[256], root[256], a[256], b[256];  // y and root of each L; what a* and b* add to the root
  std::vector<uint8_t> display;
  RgbTables() : display(kLevels) {
    constexpr double kInverse[3][3] = {{3.240479, -1.53715, -0.498535}, {-0.969256, 1.875991, 0.041556}, {0.055648, -0.204043, 1.057311}};
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) matrix[i][j] = static_cast<int>(std::lrint(kInverse[i][j] * kWhite[j] * (1 << kBits)));
    for (int i = 0; i < 256; ++i) {
      const double l = i * 100. / 255, f = (l + 16) / 116;
      y[i] = static_cast<int>(std::lrint(kOne * (l <= 8 ? l / 903.3 : f * f * f)));
      root[i] = static_cast<int>(std::lrint(kOne * (l <= 8 ? 7.787 * l / 903.3 + 16. / 116 : f)));
      a[i] = kOne * i / 500 - 4194;  // rounded down, as is the middle of 128: OpenCV's numbers
      b[i] = kOne * i / 200 - 10484;
    }
    for (int i = 0; i < kLevels; ++i) display[static_cast<size_t>(i)] = rounded(255 * from_linear(static_cast<double>(i) / kLevels));
  }
};

int cube(int root) {
  const double f = static_cast<double>(root) / RgbTables::kOne;
  return static_cast<int>(std::lrint(RgbTables::kOne * (f <= 6. / 29 ? (f - 16. / 116) / 7.787 : f * f * f)));
}

}  // namespace

Image rgb_to_hsv(const Image& image) {
  static const HsvTables tables;
  return by_pixel("rgb_to_hsv", image, [](const uint8_t* from, uint8_t* to) {
    const int r = from[0], g = from[1], b = from[2], v = std::max(r, std::max(g, b)), range = v - std::min(r, std::min(g, b));
    const int sector = v == r ? g - b : v == g ? b - r + 2 * range : r - g + 4 * range;
    const int hue = descaled(int64_t{sector} * tables.hue[range], 12);
    to[0] = byte(hue < 0 ? hue + 180 : hue);
    to[1] = byte(descaled(int64_t{range} * tables.saturation[v], 12));
    to[2] = static_cast<uint8_t>(v);
  });
}

Image hsv_to_rgb(const Image& image) {
  return by_pixel("hsv_to_rgb", image, [](const uint8_t* from, uint8_t* to) {
    const float h = static_cast<float>(from[0] % 180) / 30, s = static_cast<float>(from[1]) / 255, v = from[2];
    const int sector = static_cast<int>(h);
    const float f = h - static_cast<float>(sector);
    const auto near = [](float x) { return static_cast<uint8_t>(static_cast<int>(x + 0.5f)); };
    const uint8_t top = from[2], p = near(v * (1 - s)), q = near(v * (1 - s * f)), t = near(v * (1 - s * (1 - f)));
    const uint8_t colours[6][3] = {{top, t, p}, {q, top, p}, {p, top, t}, {p, q, top}, {t, p, top}, {top, p, q}};
    for (int c = 0; c < 3; ++c) to[c] = colours[sector][c];
  });
}

Image rgb_to_lab(const Image& image) {
  static const LabTables t;
  return by_pixel("rgb_to_lab", image, [](const uint8_t* from, uint8_t* to) {
    const int rgb[] = {t.gamma[from[0]], t.gamma[from[1]], t.gamma[from[2]]};
    int f[3];
    for (int i = 0; i < 3; ++i)
      f[i] = t.root[static_cast<size_t>(descaled(t.matrix[i][0] * rgb[0] + t.matrix[i][1] * rgb[1] + t.matrix[i][2] * rgb[2], kBits))];
    constexpr int64_t scale = (116 * 255 + 50) / 100, shift = -((16 * 255 * (int64_t{1} << kRootBits) + 50) / 100),
                      middle = int64_t{128} << kRootBits;
    to[0] = byte(descaled(scale * f[1] + shift, kRootBits));
    to[1] = byte(descaled(500 * int64_t{f[0] - f[1]} + middle, kRootBits));
    to[2] = byte(descaled(200 * int64_t{f[1] - f[2]} + middle, kRootBits));
  });
}

Image lab_to_rgb(const Image& image) {
  static const RgbTables t;
  return by_pixel("lab_to_rgb", image, [](const uint8_t* from, uint8_t* to) {
    const int root = t.root[from[0]], x = cube(root + t.a[from[1]]), y = t.y[from[0]], z = cube(root - t.b[from[2]]);
    for (int c = 0; c < 3; ++c) {
      const int light = descaled(int64_t{t.matrix[c][0]} * x + int64_t{t.matrix[c][1]} * y + int64_t{t.matrix[c][2]} * z, kBits + 2);
      to[c] = t.display[static_cast<size_t>(std::clamp(light, 0, RgbTables::kLevels - 1))];
    }
  });
}

Image shift_hsv(const Image& image, double hue, double saturation, double value) {
  Table tables[3];
  for (int i = 0; i < 256; ++i) {
    const auto at = static_cast<size_t>(i);
    const double turned = std::fmod(i + hue, 180);
    tables[0][at] = static_cast<uint8_t>(turned < 0 ? turned + 180 : turned);
    tables[1][at] = i == 0 ? 0 : rounded(i + saturation);
    tables[2][at] = rounded(i + value);
  }
  if (image.channels() == 1) return apply_table(image, tables[2]);
  return hsv_to_rgb(apply_tables(rgb_to_hsv(image), tables));
}

}  // namespace tapetum::data
