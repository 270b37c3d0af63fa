#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <map>

#include "core/function.h"
#include "data/pixels/blur.h"
#include "data/pixels/enhance.h"
#include "data/pixels/resize.h"
#include "data/pixels/tables.h"
#include "tests/fixtures.h"

namespace tapetum::data {
namespace {

uint32_t crc32(const Image& image) {
  static const auto table = [] {
    std::vector<uint32_t> t(256);
    for (uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = t[i] & 1 ? 0xedb88320u ^ t[i] >> 1 : t[i] >> 1;
    }
    return t;
  }();
  uint32_t crc = ~0u;
  for (int64_t i = 0; i < image.tensor().numel(); ++i) crc = table[(crc ^ image.row(0)[i]) & 255] ^ crc >> 8;
  return ~crc;
}

const std::map<std::string, Function<Image(const Image&)>> kOperations = {{"bilinear", [](const Image& i) { return resize(i, 224); }},
                                                                          {"bicubic",
                                                                           [](const Image& i) {
                                                                             return resize(i, {200, 320}, Filter::bicubic);
                                                                           }},
                                                                          {"lanczos",
                                                                           [](const Image& i) {
                                                                             return resize(i, {601, 701}, Filter::lanczos);
                                                                           }},
                                                                          {"box", [](const Image& i) { return resize(i, 64, Filter::box); }},
                                                                          {"brightness", [](const Image& i) { return adjust_brightness(i, 1.4); }},
                                                                          {"contrast", [](const Image& i) { return adjust_contrast(i, 0.6); }},
                                                                          {"saturation", [](const Image& i) { return adjust_saturation(i, 1.7); }},
                                                                          {"sharpness", [](const Image& i) { return adjust_sharpness(i, 1.8); }},
                                                                          {"hue", [](const Image& i) { return adjust_hue(i, 0.13); }},
                                                                          {"equalize", [](const Image& i) { return equalize(i); }},
                                                                          {"autocontrast", [](const Image& i) { return autocontrast(i, 2); }},
                                                                          {"gaussian", [](const Image& i) { return gaussian_blur(i, 1.7); }},
                                                                          {"median", [](const Image& i) { return median_blur(i, 5); }}};

}  // namespace

TEST_CASE("pixels: photographs become the same bytes as in Pillow and OpenCV", "[data]") {
  const char* root = std::getenv("TAPETUM_DATA");
  if (!root) {
    WARN("skipped: TAPETUM_DATA is not set");
    return;
  }
  std::ifstream list(tapetum::test::fixture("photo_checksums.txt"));
  std::string file, operation;
  uint32_t expected = 0;
  std::string open;
  Image photo(1, 1, 1);
  int64_t compared = 0, decoded_otherwise = 0;
  bool same = false;
  while (list >> file >> operation >> expected) {
    if (file != open) photo = read_image(std::string(root) + "/imagenet_samples/" + file), open = file;
    if (operation == "decoded") {  // another JPEG library may round otherwise
      same = crc32(photo) == expected;
      decoded_otherwise += !same;
      continue;
    }
    if (!same) continue;
    CAPTURE(file, operation);
    CHECK(crc32(kOperations.at(operation)(photo)) == expected);
    ++compared;
  }
  if (decoded_otherwise) WARN(decoded_otherwise << " photographs are decoded to other bytes than by the library that made the list: not compared");
  REQUIRE(compared + decoded_otherwise > 0);
}

}  // namespace tapetum::data
