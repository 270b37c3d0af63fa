#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/ops/creation.h"
#include "data/pixels/blur.h"
#include "data/pixels/clahe.h"
#include "data/pixels/colour_space.h"
#include "data/pixels/enhance.h"
#include "data/pixels/tables.h"
#include "data/pixels/warp.h"
#include "tests/data/reference.h"

namespace tapetum::data {

using test::equal;

namespace {

// Fails unless ours is at most `levels` from the reference, and at most `part` of its values differ at all.
void check_close(const char* what, const Image& ours, const Image& reference, int levels, double part = 1) {
  const auto d = test::difference(ours, reference);
  CAPTURE(what, d.worst, d.share);
  CHECK(d.within(levels, part));
}

Projection projection_of(const Tensor& rows) {
  Projection p;
  std::copy(rows.data<double>(), rows.data<double>() + rows.numel(), p.m.begin());
  return p;
}

}  // namespace

TEST_CASE("enhance: brightness, contrast, saturation, sharpness and hue equal Pillow's", "[parity]") {
  const test::Reference r("enhance");
  const Image photo = r.image("photo");
  for (const char* factor : {"0", "0.4", "1.7"}) {
    const double f = std::stod(factor);
    check_close("brightness", adjust_brightness(photo, f), r.image(fmt::format("brightness_{}", factor)), 0);
    check_close("contrast", adjust_contrast(photo, f), r.image(fmt::format("contrast_{}", factor)), 0);
    check_close("saturation", adjust_saturation(photo, f), r.image(fmt::format("saturation_{}", factor)), 0);
    check_close("sharpness", adjust_sharpness(photo, f), r.image(fmt::format("sharpness_{}", factor)), 0);
  }
  check_close("rgba", adjust_saturation(r.image("rgba"), 0.4), r.image("saturation_rgba"), 0);
  check_close("rgba", adjust_sharpness(r.image("rgba"), 1.7), r.image("sharpness_rgba"), 0);
  for (const char* shift : {"-0.4", "0.1"}) check_close("hue", adjust_hue(photo, std::stod(shift)), r.image(fmt::format("hue_{}", shift)), 0);
}

TEST_CASE("tables: equalize, autocontrast, posterize, solarize, invert equal Pillow's, gamma Albumentations'", "[parity]") {
  const test::Reference r("colour");
  const Image photo = r.image("photo");
  check_close("equalize", equalize(photo), r.image("equalize"), 0);
  check_close("autocontrast", autocontrast(photo), r.image("autocontrast"), 0);
  check_close("autocontrast 5", autocontrast(photo, 5), r.image("autocontrast_5"), 0);
  check_close("posterize", posterize(photo, 3), r.image("posterize_3"), 0);
  check_close("solarize", solarize(photo, 100), r.image("solarize_100"), 0);
  check_close("invert", invert(photo), r.image("invert"), 0);
  check_close("gamma", adjust_gamma(photo, 0.7), r.image("gamma_70"), 0);
}

TEST_CASE("colour spaces and clahe: equal OpenCV's within a level", "[parity]") {
  const test::Reference r("colour");
  const Image photo = r.image("photo");
  check_close("hsv", rgb_to_hsv(photo), r.image("hsv"), 0);
  check_close("from hsv", hsv_to_rgb(r.image("hsv")), r.image("from_hsv"), 1);
  check_close("lab", rgb_to_lab(photo), r.image("lab"), 0);
  check_close("from lab", lab_to_rgb(r.image("lab")), r.image("from_lab"), 1, 0.05);
  check_close("shift_hsv", shift_hsv(photo, 17, -25, 12), r.image("shift_hsv"), 1);
  check_close("clahe", clahe(photo, 4, 8), r.image("clahe"), 1, 0.05);
  check_close("clahe gray", clahe(convert_channels(photo, 1), 2.5, {5, 3}), r.image("clahe_gray"), 0);
}

TEST_CASE("blur: Gaussian, median and filters equal OpenCV's", "[parity]") {
  const test::Reference r("blur");
  const Image photo = r.image("photo");
  for (const char* sigma : {"0.5", "1.3", "3.0"})
    check_close(sigma, gaussian_blur(photo, std::stod(sigma)), r.image(fmt::format("gaussian_{}", sigma)), 0);
  check_close("7", gaussian_blur(photo, 1, 7), r.image("gaussian_7"), 0);
  check_close("gray", gaussian_blur(convert_channels(photo, 1), 2), r.image("gaussian_gray"), 0);
  for (const int64_t size : {3, 5, 9}) check_close("median", median_blur(photo, size), r.image(fmt::format("median_{}", size)), 0);
  const Tensor& kernel = r.tensor("kernel");
  check_close("filter", filter_image(photo, {kernel.data<float>(), kernel.data<float>() + 25}, 5), r.image("filter"), 1, 0.001);
}

TEST_CASE("warp: affine, projective and free maps equal OpenCV's within a level at every border", "[parity]") {
  const test::Reference r("warp");
  const Image photo = r.image("photo");
  const Size2 size(photo.height(), photo.width());
  const PixelMap affine = map_of(projection_of(r.tensor("affine")).inverse(), size),
                 projective = map_of(projection_of(r.tensor("projective")).inverse(), size);
  PixelMap free{Plane(size), Plane(size)};
  std::copy_n(r.tensor("map_x").data<float>(), free.x.values.size(), free.x.values.begin());
  std::copy_n(r.tensor("map_y").data<float>(), free.y.values.size(), free.y.values.begin());
  for (const Border border : {Border::constant, Border::replicate, Border::reflect, Border::symmetric}) {
    const std::string name = name_of(border);
    const auto warped = [&](const PixelMap& map) { return remap(photo, map, Sampling::bilinear, border, Fill(10, 20, 200)); };
    check_close(name_of(border), warped(affine), r.image("affine_" + name), 1);
    check_close(name_of(border), warped(projective), r.image("projective_" + name), 1);
    check_close(name_of(border), warped(free), r.image("remap_" + name), 1);
  }
  check_close("nearest", remap(photo, affine, Sampling::nearest), r.image("affine_nearest"), 0);
}

}  // namespace tapetum::data
