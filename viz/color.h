// Colours of pictures: sRGB bytes and an opacity, and one palette for the classes of every picture.
#pragma once
#include <cstdint>

namespace tapetum::viz {

struct Color {
  uint8_t r = 0, g = 0, b = 0;
  float alpha = 1;  // opacity, 0 to 1

  static constexpr Color hex(uint32_t rgb) { return {static_cast<uint8_t>(rgb >> 16), static_cast<uint8_t>(rgb >> 8), static_cast<uint8_t>(rgb)}; }
  constexpr Color with_alpha(double a) const { return {r, g, b, static_cast<float>(a)}; }
  friend bool operator==(const Color&, const Color&) = default;
};

// Straight line between two colours: t = 0 gives a, t = 1 gives b.
Color mix(Color a, Color b, double t);

// A scale for amounts, 0 (nearly white) to 1 (deep blue), whose lightness falls evenly; NaN gives the colour of 0.
Color sequential_color(double t);

// Colour of class `index`, any non-negative number. Class 0 is a quiet slate, the usual background; 1 to 20 are chosen by hand, the first
// ten so that they differ for colour-blind eyes, too; later ones turn round the hue circle by the golden angle.
Color class_color(int64_t index);

}  // namespace tapetum::viz
