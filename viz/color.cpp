#include "viz/color.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace tapetum::viz {
namespace {

constexpr uint32_t kPalette[] = {0x2b3342, 0x2ec4a6, 0xe8a960, 0x9179fa, 0xeb4d6a, 0x9b53ac, 0xb5d22a, 0x8eb2ed, 0xd0661e, 0xcf71b4, 0x23793a,
                                 0xf4d35e, 0x3c5fa8, 0xa8443f, 0x8fd6b4, 0x7a5230, 0xf3a8b6, 0x1f7a7d, 0xb9a6e8, 0x8a8f2f, 0xc9b18a};
constexpr int64_t kChosen = std::size(kPalette);
constexpr uint32_t kSequence[] = {0xf3f6f9, 0xc3dfe8, 0x7fbcd2, 0x3f8fb5, 0x1d5d90, 0x0f3361};

uint8_t byte(double x) { return static_cast<uint8_t>(std::lround(std::clamp(x, 0.0, 255.0))); }

// Hue in turns, saturation and value 0 to 1.
Color from_hsv(double hue, double saturation, double value) {
  const auto channel = [&](double n) {
    const double k = std::fmod(n + hue * 6, 6.0);
    return byte(255 * (value - value * saturation * std::clamp(std::min(k, 4 - k), 0.0, 1.0)));
  };
  return {channel(5), channel(3), channel(1)};
}

}  // namespace

Color mix(Color a, Color b, double t) {
  const auto between = [t](uint8_t x, uint8_t y) { return byte(x + (y - x) * t); };
  return {between(a.r, b.r), between(a.g, b.g), between(a.b, b.b), static_cast<float>(a.alpha + (b.alpha - a.alpha) * t)};
}

Color sequential_color(double t) {
  constexpr int last = static_cast<int>(std::size(kSequence)) - 1;
  const double place = t > 0 ? std::min(t, 1.0) * last : 0;
  const int below = std::min(static_cast<int>(place), last - 1);
  return mix(Color::hex(kSequence[below]), Color::hex(kSequence[below + 1]), place - below);
}

Color class_color(int64_t index) {
  if (index >= 0 && index < kChosen) return Color::hex(kPalette[index]);
  constexpr double golden = 0.6180339887498949;
  const double n = std::abs(static_cast<double>(index));
  return from_hsv(std::fmod(n * golden, 1.0), 0.45 + 0.3 * std::fmod(n * 0.37, 1.0), 0.55 + 0.4 * std::fmod(n * 0.59, 1.0));
}

}  // namespace tapetum::viz
