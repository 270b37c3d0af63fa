// How an image becomes the input of a classifier: the same steps as when its weights were trained.
#pragma once
#include <array>
#include <string>

#include "data/image.h"
#include "data/pixels/resize.h"

namespace tapetum::data {

enum class ChannelOrder { rgb, bgr, gray };

// Where sizes and places are no whole numbers. torchvision: the longer side is rounded down, the crop's corner to the nearest, halves to even.
// nearest: the longer side to the nearest, the corner down; as scripts around Pillow often do.
enum class Rounding { torchvision, nearest };

struct Preprocess {
  int64_t resize = 256;  // pixels of the shorter side, the other in proportion; 0: the size stays
  Size2 crop = 224;      // cut from the middle; with resize 0 the image is brought to this size instead
  Filter interpolation = Filter::bilinear;
  std::array<double, 3> mean = {123.675, 116.28, 103.53}, std = {58.395, 57.12, 57.375};  // levels of 0 to 255: (x - mean) / std. ImageNet's
  ChannelOrder order = ChannelOrder::rgb;                                                 // mean and std stay R, G, B; gray takes the first of each

  Rounding rounding = Rounding::torchvision;

  int64_t channels() const { return order == ChannelOrder::gray ? 1 : 3; }
};

// f32 [channels, H, W] of an image with any channels. Throws ShapeError for options that make no sense, and for an image whose sides differ so much
// that the longer one would pass 32,768 pixels.
Tensor preprocess(const Image& image, const Preprocess& p);

// "resize=256 crop=224x224 interpolation=bilinear mean=123.675,116.28,103.53 std=58.395,57.12,57.375 order=rgb rounding=torchvision": kept with
// weights.
std::string to_string(const Preprocess& p);
Preprocess parse_preprocess(const std::string& text);  // throws FormatError naming what it does not understand

Filter filter_of(const std::string& name);               // "bilinear", ...; throws FormatError that lists the names
ChannelOrder channel_order_of(const std::string& name);  // "rgb", "bgr", "gray"

}  // namespace tapetum::data
