#include <catch2/catch.hpp>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/ops/creation.h"
#include "tests/viz/scene.h"

using namespace tapetum;
using namespace tapetum::viz;
using tapetum::test::pixel;
using tapetum::test::same_pixels;

namespace {

constexpr Color kWhite = Color::hex(0xffffff), kBlack = Color::hex(0);

using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

Triple multiplied(const Matrix& m, const Triple& x) {
  Triple y{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) y[i] += m[i][j] * x[j];
  return y;
}

// CIE L*a*b* of a colour as eyes see it whose cones mix linear RGB by `eyes`.
Triple perceived(Color c, const Matrix& eyes) {
  Triple rgb{c.r / 255.0, c.g / 255.0, c.b / 255.0};
  for (double& v : rgb) v = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  rgb = multiplied(eyes, rgb);
  for (double& v : rgb) v = std::clamp(v, 0.0, 1.0);
  const Triple xyz = multiplied({{{0.4124, 0.3576, 0.1805}, {0.2126, 0.7152, 0.0722}, {0.0193, 0.1192, 0.9505}}}, rgb);
  const auto f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
  const double x = f(xyz[0] / 0.9505), y = f(xyz[1]), z = f(xyz[2] / 1.089);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

double ink(const Canvas& canvas) {  // covered area in pixels, black on white
  double sum = 0;
  const uint8_t* p = canvas.image().data<uint8_t>();
  for (int64_t i = 0; i < canvas.image().numel(); i += 3) sum += (255 - p[i]) / 255.0;
  return sum;
}

}  // namespace

TEST_CASE("canvas: a rectangle covers its area, fractions included") {
  Canvas canvas(20, 20, kWhite);
  canvas.fill_rect({3.25, 4.5, 7.5, 6}, kBlack);
  CHECK(ink(canvas) == Approx(45).margin(0.2));
  CHECK(pixel(canvas.image(), 5, 6) == kBlack);
  CHECK(pixel(canvas.image(), 2, 6) == kWhite);
}

TEST_CASE("canvas: a circle, a rounded rectangle and a line cover what geometry says") {
  Canvas circle(60, 60, kWhite), rounded(60, 60, kWhite), line(60, 60, kWhite), frame(60, 60, kWhite);
  circle.fill_circle({30, 30}, 20, kBlack);
  CHECK(ink(circle) == Approx(M_PI * 400).epsilon(0.01));
  rounded.fill_rect({5, 5, 50, 40}, kBlack, 10);
  CHECK(ink(rounded) == Approx(2000 - (4 - M_PI) * 100).epsilon(0.01));
  line.line({10, 10}, {50, 40}, 4, kBlack);
  CHECK(ink(line) == Approx(50 * 4 + M_PI * 4).epsilon(0.03));
  frame.stroke_rect({10, 10, 30, 20}, 2, kBlack);
  CHECK(ink(frame) == Approx(30 * 20 - 26 * 16));
}

TEST_CASE("canvas: a translucent polyline is as dark at its joints as elsewhere") {
  Canvas canvas(40, 40, kWhite);
  canvas.polyline({{5, 20}, {20, 20}, {35, 20}}, 6, kBlack.with_alpha(0.5));
  CHECK(pixel(canvas.image(), 20, 20) == pixel(canvas.image(), 12, 20));
}

TEST_CASE("canvas: NaN points are gaps") {
  Canvas canvas(60, 10, kWhite);
  canvas.polyline({{5, 5}, {20, 5}, {NAN, 5}, {40, 5}, {55, 5}}, 3, kBlack);
  CHECK(pixel(canvas.image(), 12, 5) == kBlack);
  CHECK(pixel(canvas.image(), 30, 5) == kWhite);
  CHECK(pixel(canvas.image(), 48, 5) == kBlack);
}

TEST_CASE("canvas: what lies outside is clipped, however far, and NaN draws nothing") {
  Canvas canvas(16, 16, kWhite);
  const double huge = 1e300, nan = NAN, inf = std::numeric_limits<double>::infinity();
  canvas.fill_rect({-100, -100, 50, 50}, kBlack);
  canvas.fill_rect({nan, 0, 5, 5}, kBlack);
  canvas.fill_rect({3, 3, -5, -5}, kBlack);
  canvas.fill_circle({huge, -huge}, 10, kBlack);
  canvas.line({-huge, -5}, {huge, -5}, 2, kBlack);
  canvas.line({inf, 0}, {0, inf}, 2, kBlack);
  canvas.text("far away", 1e9, 1e9, {});
  canvas.text("nowhere", nan, 5, {});
  canvas.draw(full({4, 4, 3}, 0, DType::u8), {-50, -50, 20, 20}, Scaling::bilinear);
  canvas.polyline({}, 2, kBlack);
  CHECK(ink(canvas) == 0);
  canvas.fill_rect({-huge, -huge, 2 * huge, 2 * huge}, kBlack);
  CHECK(ink(canvas) == 256);
}

TEST_CASE("canvas: drawing over the edge changes only what is inside") {
  Canvas canvas(16, 16, kWhite), nothing(0, 0, kWhite);
  for (Canvas* c : {&canvas, &nothing}) {
    c->line({-10, -10}, {30, 30}, 3, kBlack);
    c->text("clipped on every side", -20, 10, {.size = 40});
    c->draw(full({5, 3, 3}, 7, DType::u8), {-3, -3, 50, 50}, Scaling::nearest, 4);
    c->stroke_rect({-2, -2, 20, 20}, 5, kBlack, 3);
  }
  CHECK(pixel(canvas.image(), 8, 8) == Color{7, 7, 7});
}

TEST_CASE("canvas: an enlarged image keeps its pixels, a reduced one its mean") {
  Tensor image = empty({2, 2, 3}, DType::u8);
  for (int i = 0; i < 12; ++i) image.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(i / 3 * 60);
  Canvas large(8, 8, kWhite), small(1, 1, kWhite);
  large.draw(image, {0, 0, 8, 8}, Scaling::nearest);
  CHECK(pixel(large.image(), 3, 3) == Color{0, 0, 0});
  CHECK(pixel(large.image(), 4, 3) == Color{60, 60, 60});
  CHECK(pixel(large.image(), 7, 7) == Color{180, 180, 180});
  small.draw(image, {0, 0, 1, 1}, Scaling::nearest);
  CHECK(pixel(small.image(), 0, 0) == Color{90, 90, 90});
}

TEST_CASE("canvas: refuses what is no u8 image of three channels") {
  CHECK_THROWS_AS(Canvas(zeros({4, 4, 3})), DTypeError);
  CHECK_THROWS_AS(Canvas(zeros({4, 4, 4}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(Canvas(zeros({4, 4}, DType::u8)), ShapeError);
}

TEST_CASE("text: is as wide as measured and stands on its baseline") {
  for (const double size : {9.0, 16.0, 41.5}) {
    const TextStyle style{.size = size, .color = kBlack};
    const double width = text_width("Hamburg 0123", style);
    Canvas canvas(static_cast<int64_t>(width) + 41, 80, kWhite);
    canvas.text("Hamburg 0123", 20, 50, style);
    CHECK(ink(canvas) > size);
    CHECK(test::border_is_empty(canvas.image(), 18));
  }
  CHECK(text_width("", {}) == 0);
  CHECK(text_width("111", {}) == Approx(text_width("888", {})));  // digits of one width
}

TEST_CASE("text: is shortened to fit, between characters") {
  const TextStyle style{.size = 14};
  CHECK(fit_text("short", style, 500) == "short");
  CHECK(fit_text("short", style, text_width("short", style) + 1000.1 - 1000.1) == "short");
  CHECK(fit_text("anything", style, 0).empty());
  CHECK(fit_text("", style, 0).empty());
  for (const char* text : {"a rather long name of a file.png", "\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7",
                           "\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4\xeb\x9d\xbc\xeb\xa7\x88"}) {
    const std::string cut = fit_text(text, style, 60);
    CHECK(text_width(cut, style) <= 60);
    CHECK(cut.size() > 3);
    CHECK(cut.substr(cut.size() - 3) == "\u2026");
    CHECK((static_cast<unsigned char>(text[cut.size() - 3]) & 0xc0) != 0x80);
  }
}

TEST_CASE("text: broken UTF-8 is drawn, not read past its end") {
  Canvas canvas(200, 40, kWhite);
  for (const char* text : {"\xff\xfe", "\xe2\x82", "abc\xf0", "\x80\x80\x80", "\xc3("}) canvas.text(text, 10, 25, {});
  CHECK(ink(canvas) > 0);
}

TEST_CASE("palette: the first twenty classes differ clearly, eleven for colour-blind eyes, and any number has a colour") {
  for (int64_t a = 0; a < 20; ++a)
    for (int64_t b = 0; b < a; ++b) {
      const Color x = class_color(a), y = class_color(b);
      CHECK(std::abs(x.r - y.r) + std::abs(x.g - y.g) + std::abs(x.b - y.b) > 48);
    }
  const Matrix eyes[] = {{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},  // then protanopia, deuteranopia and tritanopia (Machado et al. 2009)
                         {{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
                         {{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
                         {{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}}};
  for (const Matrix& e : eyes)
    for (int64_t a = 0; a < 11; ++a)
      for (int64_t b = 0; b < a; ++b) {
        const Triple x = perceived(class_color(a), e), y = perceived(class_color(b), e);
        INFO("classes " << a << " and " << b);
        CHECK(std::hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]) > (a < 6 ? 25 : 16));
      }
  class_color(-1);
  class_color(std::numeric_limits<int64_t>::max());
  class_color(std::numeric_limits<int64_t>::min());
}
