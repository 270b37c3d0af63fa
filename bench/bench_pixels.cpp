// Host functions on 8-bit images, on one thread, beside bench/pixels_python.py: Pillow and OpenCV. Argument: a JPEG file to decode and change. A line
// of JSON on standard output: the median milliseconds of each.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "data/pixels/blur.h"
#include "data/pixels/clahe.h"
#include "data/pixels/colour_space.h"
#include "data/pixels/enhance.h"
#include "data/pixels/resize.h"
#include "data/pixels/tables.h"
#include "data/pixels/warp.h"

namespace {

namespace data = tapetum::data;

template <class F> double median_ms(F f) {
  std::vector<double> all;
  for (int i = 0; i < 30; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    all.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(all.begin(), all.begin() + 15, all.end());
  return all[15];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_pixels FILE.jpg\n", stderr);
    return 2;
  }
  std::ifstream in(argv[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const data::Image image = data::decode_image(bytes, argv[1]);
  const data::PixelMap turned = data::map_of(data::rotation(10), {image.height(), image.width()});
  const char* separator = "{";
  const auto time = [&](const char* name, auto f) {
    std::printf("%s\"%s\": %.4f", separator, name, median_ms(f));
    separator = ", ";
  };
  time("decode JPEG", [&] { data::decode_image(bytes, argv[1]); });
  time("resize to 224, bilinear", [&] { resize(image, 224, data::Filter::bilinear); });
  time("resize to 224, bicubic", [&] { resize(image, 224, data::Filter::bicubic); });
  time("resize to 1024, bicubic", [&] { resize(image, 1024, data::Filter::bicubic); });
  time("brightness", [&] { adjust_brightness(image, 1.2); });
  time("contrast", [&] { adjust_contrast(image, 1.2); });
  time("saturation", [&] { adjust_saturation(image, 1.2); });
  time("sharpness", [&] { adjust_sharpness(image, 1.2); });
  time("Gaussian blur, sigma 1.5", [&] { gaussian_blur(image, 1.5); });
  time("median of 5 x 5", [&] { median_blur(image, 5); });
  time("RGB to HSV", [&] { rgb_to_hsv(image); });
  time("CLAHE", [&] { clahe(image, 4); });
  time("rotation, bilinear", [&] { data::map_of(data::rotation(10), {image.height(), image.width()}), remap(image, turned); });
  std::printf("}\n");
}
