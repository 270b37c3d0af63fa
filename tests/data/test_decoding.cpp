// Every kind of JPEG, PNG, BMP and GIF gives the pixels that Pillow gives, and EXIF turns pictures as Pillow does. Files: make_datasets.py.
#include <catch2/catch.hpp>

#include "core/random.h"
#include "core/serialization/safetensors.h"
#include "data/exif.h"
#include "tests/data/pictures.h"
#include "tests/data/reference.h"
#include "tests/fixtures.h"

namespace tapetum::data {
namespace {

const Safetensors& fixtures() {
  static const Safetensors all = load(tapetum::test::fixture("datasets.safetensors"));
  return all;
}

std::string file(const std::string& name) {
  const Tensor& t = fixtures().at(name + ".file");
  return {reinterpret_cast<const char*>(t.data<uint8_t>()), static_cast<size_t>(t.numel())};
}

Image expected(const std::string& name) { return Image(fixtures().at(name + ".rgb")); }

// An EXIF block of one entry.
std::string tiff(uint16_t tag, uint16_t type, uint32_t count, const std::string& value) {
  const auto little = [](uint32_t n, int bytes) {
    std::string s;
    for (int i = 0; i < bytes; ++i) s += static_cast<char>(n >> 8 * i);
    return s;
  };
  return "II" + little(42, 2) + little(8, 4) + little(1, 2) + little(tag, 2) + little(type, 2) + little(count, 4) + value;
}

}  // namespace

TEST_CASE("decoding: the pixels of Pillow's convert(\"RGB\"), bit for bit") {
  const char* names[] = {"png_gray",
                         "png_bit",
                         "png_rgba",
                         "png_gray_alpha",
                         "png_palette",
                         "png_palette_transparent",
                         "png_palette_alphas",
                         "png_palette_2_bits",
                         "png_rgb_transparent",
                         "png_gray_transparent",
                         "png_16_rgb",
                         "png_16_rgba",
                         "png_16_gray_alpha",
                         "png_16_gray",
                         "jpeg_444",
                         "jpeg_422",
                         "jpeg_420",
                         "jpeg_gray",
                         "jpeg_progressive",
                         "jpeg_cmyk",
                         "jpeg_ycck",
                         "jpeg_cmyk_no_adobe",
                         "bmp_1",
                         "bmp_l",
                         "bmp_p",
                         "bmp_rgb",
                         "gif",
                         "gif_transparent"};
  for (const char* name : names) {
    INFO(name);
    const auto d = test::difference(decode_image(file(name), name), expected(name));
    CHECK(d.worst == 0);
  }
}

TEST_CASE("decoding: EXIF orientations turn a picture as Pillow's exif_transpose does") {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const std::string format : {"jpeg", "png"}) {
      const std::string name = "exif_" + format + "_" + std::to_string(orientation);
      if (!fixtures().contains(name + ".file")) continue;
      INFO(name);
      REQUIRE(exif_orientation(file(name)) == orientation);
      REQUIRE(test::equal(decode_image(file(name), name, {.exif_orientation = true}), expected(name)));
      REQUIRE(test::equal(upright(decode_image(file(name), name), orientation), expected(name)));
      REQUIRE(test::equal(decode_image(file(name), name), decode_image(file(name), name, {})));  // as stored, unless asked
    }
}

TEST_CASE("decoding: the smallest size that is wanted is that of the upright picture") {
  std::string jpeg = encode_jpeg(test::gradient({40, 80}, 3));
  const std::string block = std::string("Exif\0\0", 6) + tiff(0x0112, 3, 1, std::string("\6\0\0\0", 4));
  jpeg.insert(2, std::string("\xFF\xE1\0", 3) + static_cast<char>(block.size() + 2) + block);
  const Image image = decode_image(jpeg, "turned", {.at_least = {40, 20}, .exif_orientation = true});
  REQUIRE((image.height() == 40 && image.width() == 20));
}

TEST_CASE("exif: what is damaged or absent means as stored") {
  const std::string six("\6\0\0\0", 4);
  REQUIRE(tiff_orientation(tiff(0x0112, 3, 1, six)) == 6);
  REQUIRE(tiff_orientation(tiff(0x0112, 1, 1, six)) == 6);
  REQUIRE(tiff_orientation(tiff(0x0112, 4, 1, six)) == 6);
  REQUIRE(tiff_orientation(tiff(0x0112, 2, 1, six)) == 1);  // a text
  REQUIRE(tiff_orientation(tiff(0x0112, 3, 2, six)) == 1);
  REQUIRE(tiff_orientation(tiff(0x0112, 3, 1, std::string("\11\0\0\0", 4))) == 1);
  REQUIRE(tiff_orientation(tiff(0x0112, 3, 1, std::string(4, '\0'))) == 1);
  REQUIRE(tiff_orientation(tiff(0x0100, 3, 1, six)) == 1);
  REQUIRE(exif_orientation("") == 1);
  REQUIRE(exif_orientation("GIF89a") == 1);
  const std::string whole = tiff(0x0112, 3, 1, six);
  for (size_t n = 0; n < whole.size(); ++n) REQUIRE(tiff_orientation(whole.substr(0, n)) == 1);
  std::string far = whole;
  for (int i = 4; i < 8; ++i) far[static_cast<size_t>(i)] = '\xFF';  // the directory lies beyond the end
  REQUIRE(tiff_orientation(far) == 1);
}

TEST_CASE("exif: every cut and many damages of a file stay within it") {
  RandomStream random(3);
  for (const char* name : {"exif_jpeg_6", "exif_jpeg_7", "exif_png_3"}) {
    const std::string whole = file(name);
    for (size_t n = 0; n < whole.size(); ++n) REQUIRE_NOTHROW(exif_orientation(std::string(whole, 0, n)));
    for (int round = 0; round < 3000; ++round) {
      std::string bytes = whole;
      for (int flips = 0; flips < 4; ++flips) bytes[static_cast<size_t>(random.integer(120))] = static_cast<char>(random.bits());
      const int orientation = exif_orientation(bytes);
      REQUIRE((orientation >= 1 && orientation <= 8));
    }
  }
}

}  // namespace tapetum::data
