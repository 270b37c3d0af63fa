#include <catch2/catch.hpp>

#include <cmath>

#include "core/ops/view.h"
#include "data/transforms.h"
#include "tests/data/reference.h"

namespace tapetum::data {
namespace {

double furthest(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return 1e9;
  double worst = 0;
  for (int64_t i = 0; i < a.numel(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a.data<float>()[i]) - b.data<float>()[i]));
  return worst;
}

}  // namespace

TEST_CASE("augment: what is moved and changed is Albumentations', where a range leaves no choice", "[parity]") {
  const test::Reference r("albumentations");
  ImageSample sample;
  sample.image = r.image("photo").tensor();
  sample.mask = select(r.tensor("mask"), 2, 0);
  sample.boxes = r.tensor("boxes");
  sample.keypoints = r.tensor("keypoints");
  sample.rules.keep_outside_keypoints = true;
  const struct {
    const char* name;
    Transform transform;
    int levels = 0;
    double share = 1;  // of the image's values that may differ
  } cases[] = {
      {"ShiftScaleRotate",
       ShiftScaleRotate{.shift_limit = {0.1, 0.1}, .scale_limit = {0.2, 0.2}, .rotate_limit = {20, 20}, .fill = {9, 8, 7}, .fill_mask = 3, .p = 1},
       1},
      {"Affine",
       Affine{
           .scale = {0.8, 0.8}, .translate_percent = {-0.1, -0.1}, .rotate = {-15, -15}, .shear = {7, 7}, .border_mode = Border::replicate, .p = 1},
       1},
      {"Affine_fit", Affine{.scale = {0.8, 0.8}, .rotate = {-15, -15}, .shear = {7, 7}, .fit_output = true, .p = 1}, 1},
      {"HorizontalFlip", HorizontalFlip{.p = 1}},
      {"Transpose", Transpose{.p = 1}},
      {"PadIfNeeded", PadIfNeeded{.min_height = 70, .min_width = 70}},
      {"CenterCrop", CenterCrop{.height = 40, .width = 50}},
      {"RandomBrightnessContrast", RandomBrightnessContrast{.brightness_limit = {0.15, 0.15}, .contrast_limit = {-0.3, -0.3}, .p = 1}, 1},
      {"RandomGamma", RandomGamma{.gamma_limit = {70, 70}, .p = 1}},
      {"HueSaturationValue", HueSaturationValue{.hue_shift_limit = {11, 11}, .sat_shift_limit = {-20, -20}, .val_shift_limit = {15, 15}, .p = 1}, 1},
      {"Sharpen", Sharpen{.alpha = {0.4, 0.4}, .lightness = {0.7, 0.7}, .p = 1}, 1, 0.001},
      {"MotionBlur", MotionBlur{.blur_limit = {7, 7}, .allow_shifted = false, .angle_range = {35, 35}, .direction_range = {0.5, 0.5}, .p = 1}, 1,
       0.001},
      {"MedianBlur", MedianBlur{.blur_limit = {5, 5}, .p = 1}},
      {"GaussianBlur", GaussianBlur{.sigma_limit = {1.6, 1.6}, .p = 1}, 1, 0.001},
      {"CLAHE", CLAHE{.clip_limit = {3, 3}, .p = 1}, 1},
      {"ToGray", ToGray{.p = 1}, 1}};
  for (const auto& c : cases) {
    ImageSample s = sample;
    RandomStream stream(1);
    c.transform(s, stream);
    const auto d = test::difference(Image(s.image), r.image(c.name));
    CAPTURE(c.name, d.worst, d.share);
    CHECK(d.within(c.levels, c.share));
    const std::string name = c.name;
    if (!r.has(name + ".mask")) continue;
    const auto mask = test::difference(Image(unsqueeze(s.mask, 2)), r.image(name + ".mask"));
    const double boxes = furthest(s.boxes, r.tensor(name + ".boxes")), points = furthest(s.keypoints, r.tensor(name + ".keypoints"));
    CAPTURE(mask.share, boxes, points);
    CHECK(mask.share <= 0.002);  // labels midway between two pixels
    CHECK((boxes < 0.02 && points < 0.02));
  }
}

}  // namespace tapetum::data
