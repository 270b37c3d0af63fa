#include <fmt/core.h>

#include <catch2/catch.hpp>

#include <cmath>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "data/transforms/augmentation.h"
#include "data/transforms/compose.h"
#include "data/transforms/degrade.h"
#include "data/transforms/distortions.h"
#include "data/transforms/dropout.h"
#include "data/transforms/flips.h"
#include "data/transforms/mixing.h"
#include "data/transforms/photometric.h"
#include "data/transforms/policies.h"
#include "data/transforms/sizes.h"
#include "data/transforms/warps.h"
#include "tests/data/reference.h"
#include "tests/data/samples.h"

namespace tapetum::data {

using test::same;

namespace {

ImageSample applied(const Transform& transform, ImageSample sample, uint64_t seed) {
  RandomStream stream(seed);
  transform(sample, stream);
  return sample;
}

std::vector<float> numbers(const Tensor& t) { return {t.data<float>(), t.data<float>() + t.numel()}; }
std::vector<int64_t> integers(const Tensor& t) { return {t.data<int64_t>(), t.data<int64_t>() + t.numel()}; }

Tensor boxes_of(const std::vector<std::array<float, 4>>& boxes) {
  Tensor t = empty({static_cast<int64_t>(boxes.size()), 4});
  for (size_t i = 0; i < boxes.size(); ++i) std::copy_n(boxes[i].data(), 4, t.mutable_data<float>() + 4 * i);
  return t;
}

Tensor labels_of(const std::vector<int64_t>& labels) {
  Tensor t = empty({static_cast<int64_t>(labels.size())}, DType::i64);
  std::copy(labels.begin(), labels.end(), t.mutable_data<int64_t>());
  return t;
}

struct Extent {
  double left = 1e9, top = 1e9, right = -1e9, bottom = -1e9;
  bool empty() const { return right < left; }
};

// The pixels of one label.
Extent extent_of(const Tensor& mask, int64_t label) {
  Extent e;
  for (int64_t y = 0; y < mask.size(0); ++y)
    for (int64_t x = 0; x < mask.size(1); ++x)
      if (mask.data<int64_t>()[y * mask.size(1) + x] == label)
        e = {std::min<double>(e.left, x), std::min<double>(e.top, y), std::max<double>(e.right, x + 1), std::max<double>(e.bottom, y + 1)};
  return e;
}

// Where the mask is the same all around, the image must have the label's gray value; a box must hold all pixels of its label and may be
// `slack` larger; a keypoint must lie on its label.
void check_register(const ImageSample& s, double slack, int levels) {
  const int64_t h = s.mask.size(0), w = s.mask.size(1);
  const auto label_at = [&](int64_t y, int64_t x) { return s.mask.data<int64_t>()[y * w + x]; };
  int64_t compared = 0;
  for (int64_t y = 2; y + 2 < h; ++y)
    for (int64_t x = 2; x + 2 < w; ++x) {
      bool uniform = true;
      for (int64_t dy = -2; dy <= 2; ++dy)
        for (int64_t dx = -2; dx <= 2; ++dx) uniform = uniform && label_at(y + dy, x + dx) == label_at(y, x);
      if (!uniform || label_at(y, x) == 9) continue;  // 9: what the border was filled with
      ++compared;
      const int64_t label = label_at(y, x), expected = label ? 60 * label : 10;
      REQUIRE(std::abs(s.image.data<uint8_t>()[(y * w + x) * 3] - expected) <= levels);
    }
  REQUIRE(compared > h * w / 8);
  for (int64_t i = 0; i < s.boxes.size(0); ++i) {
    const float* b = s.boxes.data<float>() + 4 * i;
    const Extent e = extent_of(s.mask, s.labels.data<int64_t>()[i] - 6);
    if (e.empty()) continue;
    CAPTURE(b[0], b[1], b[2], b[3], e.left, e.top, e.right, e.bottom);
    REQUIRE((b[0] <= e.left + 0.51 && b[1] <= e.top + 0.51 && b[2] >= e.right - 0.51 && b[3] >= e.bottom - 0.51));
    REQUIRE((b[0] >= e.left - slack && b[1] >= e.top - slack && b[2] <= e.right + slack && b[3] <= e.bottom + slack));
  }
  if (s.keypoints.size(0) == 2)
    for (int64_t i = 0; i < 2; ++i) {
      const auto x = std::lround(s.keypoints.data<float>()[2 * i]), y = std::lround(s.keypoints.data<float>()[2 * i + 1]);
      CAPTURE(i, x, y);
      REQUIRE(label_at(std::min<int64_t>(y, h - 1), std::min<int64_t>(x, w - 1)) == i + 1);
    }
}

}  // namespace

TEST_CASE("targets: image, mask, boxes and keypoints stay in register") {
  const struct {
    Transform transform;
    double slack;  // of boxes around turned corners: more than the label's pixels
    int levels = 1;
  } steps[] = {{HorizontalFlip{.p = 1}, 0.01},
               {VerticalFlip{.p = 1}, 0.01},
               {Transpose{.p = 1}, 0.01},
               {RandomRotate90{.p = 1}, 0.01},
               {Resize{.height = 61, .width = 130}, 1.01},
               {Resize{.height = 150, .width = 200, .interpolation = Filter::nearest}, 1.01},
               {LongestMaxSize{.max_size = 77}, 1.01},
               {SmallestMaxSize{.max_size = 131}, 1.51},
               {LetterBox{.height = 90, .width = 200, .fill = 0, .fill_mask = 9}, 1.01},
               {PadIfNeeded{.min_height = 120, .min_width = 150, .fill_mask = 9}, 0.01},
               {CenterCrop{.height = 70, .width = 90}, 0.01},
               {RandomCrop{.height = 60, .width = 90}, 0.01},
               {RandomResizedCrop{.height = 80, .width = 90, .scale = {0.3, 0.9}}, 2.01},
               {ShiftScaleRotate{.fill_mask = 9, .p = 1}, 30},
               {Affine{.scale = {0.7, 1.3}, .rotate = {-20, 20}, .shear = {-10, 10}, .fit_output = true, .fill_mask = 9, .p = 1}, 30},
               {Affine{.scale = {0.7, 1.3}, .translate_percent = {-0.2, 0.2}, .fill_mask = 9, .p = 1}, 1.51},
               {RandomRotation{.degrees = {-180, 180}, .expand = true, .fill_mask = 9}, 40},
               {RandomRotation{.degrees = {90, 90}, .expand = true, .fill_mask = 9}, 0.01},
               {Perspective{.fill_mask = 9, .p = 1}, 12},
               {Perspective{.keep_size = false, .fill_mask = 9, .p = 1}, 12},
               {ElasticTransform{.alpha = 90, .sigma = 7, .border_mode = Border::replicate, .p = 1}, 1.51, 3},
               {GridDistortion{.border_mode = Border::replicate, .p = 1}, 1.51, 3}};
  for (const auto& step : steps)
    for (uint64_t seed = 0; seed < 6; ++seed) {
      CAPTURE(to_string(step.transform), seed);
      check_register(applied(step.transform, test::scene({96, 120}), seed), step.slack, step.levels);
    }
}

TEST_CASE("augmentation: presets by name, in register, with no label but the sample's; another name is an error") {
  REQUIRE(augmentation_names() == std::vector<std::string>{"none", "light", "strong", "classification", "detection"});
  REQUIRE_THROWS_WITH(augmentation("mild"), Catch::Contains("'mild'") && Catch::Contains("strong"));
  const ImageSample sample = test::scene({96, 120});
  REQUIRE(same(applied(augmentation("none"), sample, 1), sample));
  for (const char* name : {"light", "strong", "classification", "detection"})
    for (uint64_t seed = 0; seed < 8; ++seed) {
      ImageSample s = applied(augmentation(name), sample, seed);
      REQUIRE_NOTHROW(check_sample(name, s));
      REQUIRE(!extent_of(s.mask, 0).empty());
      REQUIRE(same(s, applied(augmentation(name), sample, seed)));
      for (int64_t i = 0; i < s.mask.numel(); ++i) REQUIRE((s.mask.data<int64_t>()[i] >= 0 && s.mask.data<int64_t>()[i] <= 2));
    }
}

TEST_CASE("targets: a mirrored and a cropped sample have the numbers that one expects") {
  ImageSample s = test::scene({20, 30});
  s.boxes = boxes_of({{2, 3, 10, 12}});
  s.labels = labels_of({4});
  s.keypoints = empty({2, 2});
  for (int64_t i = 0; i < 4; ++i) s.keypoints.mutable_data<float>()[i] = static_cast<float>(i + 1);
  const ImageSample mirrored = applied(HorizontalFlip{.p = 1}, s, 1);
  REQUIRE(numbers(mirrored.boxes) == std::vector<float>{20, 3, 28, 12});
  REQUIRE(numbers(mirrored.keypoints) == std::vector<float>{28, 2, 26, 4});
  const ImageSample cut = applied(CenterCrop{.height = 10, .width = 20}, s, 1);  // from (5, 5)
  REQUIRE(numbers(cut.boxes) == std::vector<float>{0, 0, 5, 7});
  REQUIRE(cut.keypoints.shape() == Shape{0, 2});
  const ImageSample kept = applied(Compose{.transforms = {CenterCrop{.height = 10, .width = 20}}, .keep_outside_keypoints = true}, s, 1);
  REQUIRE(numbers(kept.keypoints) == std::vector<float>{-4, -3, -2, -1});
  const ImageSample twice = applied(Resize{.height = 40, .width = 60}, s, 1);
  REQUIRE(numbers(twice.boxes) == std::vector<float>{4, 6, 20, 24});
  REQUIRE(numbers(twice.keypoints) == std::vector<float>{2.5, 4.5, 6.5, 8.5});  // centres of pixels of half the size
}

TEST_CASE("targets: boxes outside are dropped with their labels, and those of which too little is left") {
  ImageSample s = test::scene({20, 30});
  s.boxes = boxes_of({{0, 0, 4, 4}, {3, 3, 9, 9}, {10, 8, 20, 14}});
  s.labels = labels_of({5, 6, 7});
  const auto cut = [&](double visible, double area) {
    return applied(Compose{.transforms = {CenterCrop{.height = 10, .width = 20}}, .min_visibility = visible, .min_area = area}, s, 1);
  };
  REQUIRE(integers(cut(0, 0).labels) == std::vector<int64_t>{6, 7});
  REQUIRE(numbers(cut(0, 0).boxes) == std::vector<float>{0, 0, 4, 4, 5, 3, 15, 9});
  REQUIRE(integers(cut(0.44, 0).labels) == std::vector<int64_t>{6, 7});  // 16 of 36
  REQUIRE(integers(cut(0.45, 0).labels) == std::vector<int64_t>{7});
  REQUIRE(integers(cut(0, 17).labels) == std::vector<int64_t>{7});
  const ImageSample none = cut(0, 1000);
  REQUIRE((none.boxes.shape() == Shape{0, 4} && none.labels.shape() == Shape{0}));
  const ImageSample again = applied(Compose{.transforms = {HorizontalFlip{.p = 1}, Affine{.rotate = {9, 9}, .p = 1}}}, none, 1);
  REQUIRE(again.boxes.shape() == Shape{0, 4});
  s.labels = Tensor();
  REQUIRE(cut(0.45, 0).boxes.shape() == Shape{1, 4});
  // The rules of an outer Compose hold within an inner one.
  const Transform inner = Compose{.transforms = {CenterCrop{.height = 10, .width = 20}}};
  REQUIRE(applied(Compose{.transforms = {inner}, .min_visibility = 0.45}, s, 1).boxes.shape() == Shape{1, 4});
}

TEST_CASE("targets: a box without area is an error that names it, or is dropped when asked") {
  ImageSample s = test::scene({20, 30});
  s.boxes = boxes_of({{1, 1, 5, 5}, {3, 4, 3, 9}});
  s.labels = labels_of({1, 2});
  REQUIRE_THROWS_WITH(applied(HorizontalFlip{.p = 1}, s, 1), Catch::Contains("HorizontalFlip") && Catch::Contains("box 1: 3, 4, 3, 9"));
  REQUIRE_THROWS_AS(applied(Compose{.transforms = {ToGray{}}}, s, 1), ShapeError);
  const ImageSample dropped = applied(Compose{.transforms = {HorizontalFlip{.p = 1}}, .drop_empty_boxes = true}, s, 1);
  REQUIRE(integers(dropped.labels) == std::vector<int64_t>{1});
  REQUIRE(numbers(dropped.boxes) == std::vector<float>{25, 1, 29, 5});
  s.boxes = boxes_of({{1, 1, 5, std::nanf("")}, {1, 1, 2, 2}});
  REQUIRE_THROWS_WITH(applied(Compose{.transforms = {HorizontalFlip{.p = 1}}, .drop_empty_boxes = true}, s, 1), Catch::Contains("box 0"));
  s.boxes = zeros({2, 5});
  REQUIRE_THROWS_WITH(applied(HorizontalFlip{.p = 1}, s, 1), Catch::Contains("[N, 4]") && Catch::Contains("[2, 5]"));
  s.boxes = boxes_of({{1, 1, 5, 5}});
  REQUIRE_THROWS_WITH(applied(HorizontalFlip{.p = 1}, s, 1), Catch::Contains("label"));
  s = test::scene({20, 30});
  s.mask = zeros({20, 29}, DType::i64);
  REQUIRE_THROWS_WITH(applied(HorizontalFlip{.p = 1}, s, 1), Catch::Contains("[20, 30]") && Catch::Contains("[20, 29]"));
  s.mask = zeros({20, 30});
  REQUIRE_THROWS_AS(applied(HorizontalFlip{.p = 1}, s, 1), DTypeError);
}

TEST_CASE("targets: masks of every integer type move alike") {
  ImageSample s = test::scene({40, 52});
  const ImageSample wide = applied(Compose{{ShiftScaleRotate{.p = 1}, Resize{.height = 30, .width = 20}, HorizontalFlip{.p = 1}}}, s, 3);
  for (const DType dtype : {DType::u8, DType::i32}) {
    ImageSample narrow = s;
    narrow.mask = to(s.mask, dtype);
    narrow = applied(Compose{{ShiftScaleRotate{.p = 1}, Resize{.height = 30, .width = 20}, HorizontalFlip{.p = 1}}}, narrow, 3);
    REQUIRE(narrow.mask.dtype() == dtype);
    REQUIRE(same(to(narrow.mask, DType::i64), wide.mask));
  }
}

TEST_CASE("targets: a crop larger than the picture is an error, or padded when asked") {
  const ImageSample s = test::scene({20, 30});
  REQUIRE_THROWS_WITH(applied(RandomCrop{.height = 21, .width = 10}, s, 1), Catch::Contains("21 x 10") && Catch::Contains("20 x 30"));
  const ImageSample padded = applied(RandomCrop{.height = 41, .width = 10, .pad_if_needed = true, .fill_mask = 3}, s, 1);
  REQUIRE(padded.image.shape() == Shape{41, 10, 3});
  REQUIRE((padded.mask.data<int64_t>()[0] == 3 && padded.image.data<uint8_t>()[0] == 0));
  REQUIRE(applied(PadIfNeeded{.pad_height_divisor = 32, .pad_width_divisor = 32}, s, 1).image.shape() == Shape{32, 32, 3});
  REQUIRE(applied(LetterBox{.height = 64, .width = 64}, s, 1).image.shape() == Shape{64, 64, 3});
  REQUIRE(applied(LetterBox{.height = 64, .width = 64, .scale_up = false}, s, 1).image.data<uint8_t>()[0] == 114);
}

TEST_CASE("policies: every operation equals torchvision's", "[parity]") {
  const test::Reference r("operations");
  ImageSample photo;
  photo.image = r.image("photo").tensor();
  const struct {
    Operation operation;
    double strength, differing = 0;
  } cases[] = {{Operation::ShearX, 0.27},      {Operation::ShearY, -0.2},     {Operation::TranslateX, 11.7}, {Operation::TranslateY, -5.2},
               {Operation::Rotate, 23, 0.002}, {Operation::Brightness, -0.3}, {Operation::Color, 0.6},       {Operation::Contrast, 0.9},
               {Operation::Sharpness, -0.9},   {Operation::Posterize, 3},     {Operation::Solarize, 170.5},  {Operation::AutoContrast, 0},
               {Operation::Equalize, 0},       {Operation::Invert, 0}};
  for (const auto& c : cases) {
    ImageSample s = photo;
    apply_operation(s, c.operation, c.strength);
    const auto d = test::difference(Image(s.image), r.image(name_of(c.operation)));
    CAPTURE(name_of(c.operation), d.worst, d.share);
    CHECK(d.share <= c.differing);
  }
  const auto d = test::difference(Image(applied(RandomRotation{.degrees = {23, 23}, .expand = true}, photo, 1).image), r.image("expanded"));
  CAPTURE(d.worst, d.share);
  CHECK(d.share <= 0.002);
}

TEST_CASE("mixup and cutmix: images and soft labels are mixed by the same share") {
  LabelledBatch batch{zeros({3, 1, 8, 8}), labels_of({0, 1, 2})};
  for (int64_t i = 0; i < 192; ++i) batch.images.mutable_data<float>()[i] = static_cast<float>(i / 64);
  const Tensor before = clone(batch.images);
  RandomStream stream(4);
  for (int i = 0; i < 10; ++i) {
    const LabelledBatch mixed = MixUp{.num_classes = 3, .alpha = 0.4}(batch, stream);
    const float share = mixed.labels.data<float>()[0];
    const std::vector<float> labels = numbers(mixed.labels), expected = {share, 0, 1 - share, 1 - share, share, 0, 0, 1 - share, share};
    for (size_t k = 0; k < 9; ++k) REQUIRE(labels[k] == Approx(expected[k]).margin(1e-6));
    REQUIRE(mixed.images.data<float>()[64] == Approx(share));
    REQUIRE(mixed.images.data<float>()[0] == Approx(2 * (1 - share)).margin(1e-6));
    const LabelledBatch cut = CutMix{.num_classes = 3}(batch, stream);
    double foreign = 0;
    for (int64_t k = 0; k < 64; ++k) foreign += cut.images.data<float>()[k] == 2;
    REQUIRE(cut.labels.data<float>()[2] == Approx(foreign / 64).margin(1e-6));
    REQUIRE(cut.labels.data<float>()[0] == Approx(1 - foreign / 64).margin(1e-6));
    REQUIRE(MixUp{}(mixed, stream).labels.shape() == Shape{3, 3});  // soft labels are taken too
    REQUIRE(same(batch.images, before));
  }
  REQUIRE_THROWS_WITH((MixUp{.num_classes = 2}(batch, stream)), Catch::Contains("num_classes = 2, got 2"));
  REQUIRE(same((CutMix{.num_classes = 3, .p = 0}(batch, stream)).images, before));
}

namespace {

struct Scenes {
  int64_t count = 4;
  int64_t size() const { return count; }
  ImageSample get(int64_t index, RandomStream&) const { return test::scene({60 + 10 * index, 90 - 5 * index}); }
};

}  // namespace

TEST_CASE("mosaic: four samples in one picture, their targets in register") {
  const Mosaic<Scenes> set(Scenes{}, {.size = {96, 128}, .rules = {.min_visibility = 0.3}});
  for (uint64_t seed = 0; seed < 10; ++seed) {
    RandomStream stream(seed), again(seed);
    const ImageSample s = set.get(1, stream);
    REQUIRE(same(s, set.get(1, again)));
    REQUIRE((s.image.shape() == Shape{96, 128, 3} && s.mask.shape() == Shape{96, 128}));
    REQUIRE((s.boxes.size(0) == s.labels.size(0) && s.boxes.size(0) >= 1 && s.boxes.size(0) <= 8));
    for (int64_t i = 0; i < s.boxes.size(0); ++i) {
      const float* b = s.boxes.data<float>() + 4 * i;
      REQUIRE((b[0] >= 0 && b[1] >= 0 && b[2] <= 128 && b[3] <= 96));
      const auto x = static_cast<int64_t>((b[0] + b[2]) / 2), y = static_cast<int64_t>((b[1] + b[3]) / 2);
      REQUIRE(s.mask.data<int64_t>()[y * 128 + x] == s.labels.data<int64_t>()[i] - 6);
    }
  }
  RandomStream stream(1);
  REQUIRE(same(Mosaic<Scenes>(Scenes{}, {.p = 0}).get(2, stream), test::scene({80, 80})));
  REQUIRE_THROWS_AS(Mosaic<Scenes>(Scenes{}, {.center_range = {0.8, 0.1}}), Error);
}

}  // namespace tapetum::data
