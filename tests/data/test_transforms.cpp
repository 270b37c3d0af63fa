#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/ops/creation.h"
#include "data/blur.h"
#include "data/loader.h"
#include "data/synthetic_cells.h"
#include "data/transforms.h"
#include "data/white_noise.h"

namespace tapetum::data {
namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && !std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype()));
}

// Image and mask with the same whole numbers: after any geometric step they must still agree, up to interpolation.
SegmentationSample counting(Size2 size) {
  SegmentationSample s{empty({1, size.h, size.w}), empty({size.h, size.w}, DType::i64)};
  for (int64_t i = 0; i < s.mask.numel(); ++i) {
    s.mask.mutable_data<int64_t>()[i] = i;
    s.image.mutable_data<float>()[i] = static_cast<float>(i);
  }
  return s;
}

bool agree(const SegmentationSample& s) {
  for (int64_t i = 0; i < s.mask.numel(); ++i)
    if (s.image.data<float>()[i] != static_cast<float>(s.mask.data<int64_t>()[i])) return false;
  return true;
}

std::vector<int64_t> values(const Tensor& mask) { return {mask.data<int64_t>(), mask.data<int64_t>() + mask.numel()}; }

}  // namespace

TEST_CASE("mirror: repeats the line forwards and backwards") {
  const int64_t expected[] = {2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1};
  for (int64_t i = -4; i < 8; ++i) REQUIRE(mirror(i, 3) == expected[i + 4]);
  REQUIRE(mirror(-1'000'001, 1) == 0);
}

TEST_CASE("gaussian blur: keeps constants and sums, on lines shorter than the filter too") {
  std::vector<float> flat(7 * 2, 3.f);
  gaussian_blur(flat.data(), 7, 2, 4);
  for (float v : flat) REQUIRE(v == Approx(3));
  std::vector<float> spot(21 * 21, 0.f);
  spot[10 * 21 + 10] = 1;
  gaussian_blur(spot.data(), 21, 21, 2);
  REQUIRE(spot[10 * 21 + 10] == Approx(1 / (2 * 3.14159 * 4)).epsilon(0.01));
  REQUIRE(spot[10 * 21 + 8] == Approx(spot[8 * 21 + 10]));
  float sum = 0;
  for (float v : spot) sum += v;
  REQUIRE(sum == Approx(1));
}

TEST_CASE("white noise: mean, deviation, tails and neighbours are those of independent normal values") {
  RandomStream stream(11);
  std::vector<float> x(100'001);
  fill_normal(stream, x.data(), x.size());
  double sum = 0, squares = 0, product = 0;
  int beyond_two = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum += x[i];
    squares += x[i] * x[i];
    if (i) product += x[i] * x[i - 1];
    beyond_two += std::abs(x[i]) > 2;
  }
  const auto n = static_cast<double>(x.size());
  REQUIRE((std::abs(sum / n) < 0.015 && std::abs(squares / n - 1) < 0.02 && std::abs(product / n) < 0.015));
  REQUIRE(beyond_two / n == Approx(0.0455).margin(0.003));
}

TEST_CASE("flips and crops: image and mask move together, bit for bit") {
  RandomStream stream(1);
  auto s = counting({2, 3});
  HorizontalFlip{.probability = 1}(s, stream);
  REQUIRE(values(s.mask) == std::vector<int64_t>{2, 1, 0, 5, 4, 3});
  VerticalFlip{.probability = 1}(s, stream);
  REQUIRE(values(s.mask) == std::vector<int64_t>{5, 4, 3, 2, 1, 0});
  REQUIRE(agree(s));
  for (Size2 size : {Size2(2), Size2(5, 1), Size2(1, 9), Size2(11, 13)}) {
    auto crop = counting({4, 5});
    RandomCrop{.size = size}(crop, stream);
    REQUIRE(crop.mask.shape() == Shape{size.h, size.w});
    REQUIRE(agree(crop));
  }
  REQUIRE_THROWS_AS(RandomCrop{.size = 0}(s, stream), ShapeError);
}

TEST_CASE("resize: labels by the nearest centre, images averaged") {
  RandomStream stream(1);
  auto s = counting({4, 4});
  Resize{.size = 2}(s, stream);
  REQUIRE(values(s.mask) == std::vector<int64_t>{5, 7, 13, 15});
  REQUIRE(s.image.shape() == Shape{1, 2, 2});
  REQUIRE(s.image.data<float>()[0] + s.image.data<float>()[3] == Approx(15));
  Resize{.size = {3, 7}}(s, stream);
  REQUIRE(s.mask.shape() == Shape{3, 7});
  REQUIRE_THROWS_AS(Resize{.size = 0}(s, stream), ShapeError);
  REQUIRE_THROWS_AS(resize_labels(zeros({2, 2, 2}, DType::i64), 2), ShapeError);
}

TEST_CASE("affine: without turning, scaling or shifting nothing changes") {
  RandomStream stream(4);
  auto s = counting({5, 7});
  RandomAffine{.probability = 1, .degrees = 0, .smallest = 1, .largest = 1, .shift = 0}(s, stream);
  REQUIRE(same_bits(s.mask, counting({5, 7}).mask));
  REQUIRE(agree(s));
  REQUIRE_THROWS_AS((RandomAffine{.smallest = 0}(s, stream)), ShapeError);
}

TEST_CASE("affine and elastic: image and mask stay in register") {
  const auto register_error = [](auto transform) {
    double worst = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      RandomStream stream(seed);
      SegmentationSample s{empty({1, 64, 48}), empty({64, 48}, DType::i64)};
      for (int64_t i = 0; i < s.mask.numel(); ++i) {  // a smooth ramp, so that interpolation hardly matters
        s.mask.mutable_data<int64_t>()[i] = i / 48;
        s.image.mutable_data<float>()[i] = static_cast<float>(i / 48);
      }
      transform(s, stream);
      for (int64_t i = 0; i < s.mask.numel(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(s.image.data<float>()[i]) - static_cast<double>(s.mask.data<int64_t>()[i])));
    }
    return worst;
  };
  REQUIRE(register_error(RandomAffine{.probability = 1, .degrees = 90, .smallest = 0.5, .largest = 2, .shift = 0.3}) <= 0.5001);
  REQUIRE(register_error(Elastic{.probability = 1}) <= 0.5001);
}

TEST_CASE("elastic: displaces by a few pixels, neighbours alike") {
  RandomStream stream(2);
  SegmentationSample s{empty({1, 80, 80}), Tensor()};
  for (int64_t i = 0; i < s.image.numel(); ++i) s.image.mutable_data<float>()[i] = static_cast<float>(i / 80);
  Elastic{.probability = 1}(s, stream);
  double sum = 0, step = 0;
  for (int64_t y = 20; y < 60; ++y)
    for (int64_t x = 20; x < 60; ++x) {
      const float* p = s.image.data<float>() + y * 80 + x;
      sum += std::pow(*p - static_cast<double>(y), 2);
      step = std::max(step, static_cast<double>(std::abs(p[1] - p[0])));
    }
  const double deviation = std::sqrt(sum / 1600);
  INFO("deviation " << deviation << ", greatest difference of neighbours " << step);
  REQUIRE((deviation > 0.5 && deviation < 4 && step < 1));
}

TEST_CASE("colour: the mask and the original stay, values stay within 0..1") {
  const auto original = SyntheticCells({.count = 1, .size = 24}).get(0);
  const auto copy = SyntheticCells({.count = 1, .size = 24}).get(0);
  for (const Transform& t : {Transform(ColourJitter{.probability = 1, .brightness = 1}), Transform(GaussianBlur{.probability = 1}),
                             Transform(GaussianNoise{.probability = 1, .largest = 0.5}), augmentation("strong")}) {
    auto s = original;
    RandomStream stream(3);
    t(s, stream);
    REQUIRE(!same_bits(s.image, copy.image));
    REQUIRE((same_bits(original.image, copy.image) && same_bits(original.mask, copy.mask)));
    for (int64_t i = 0; i < s.image.numel(); ++i) REQUIRE((s.image.data<float>()[i] >= 0 && s.image.data<float>()[i] <= 1));
  }
  auto s = original;
  RandomStream stream(3);
  Normalize{{0.5f, 0.25f, 0}, {0.5f, 1, 2}}(s, stream);
  REQUIRE(s.image.data<float>()[0] == Approx((copy.image.data<float>()[0] - 0.5) / 0.5));
  REQUIRE(s.image.data<float>()[24 * 24 * 2] == Approx(copy.image.data<float>()[24 * 24 * 2] / 2));
  REQUIRE_THROWS_AS((Normalize{{0, 0, 0}, {1, 0, 1}}(s, stream)), ShapeError);
}

TEST_CASE("augmentation: presets by name, the same for any number of workers, another in each epoch") {
  REQUIRE_THROWS_WITH(augmentation("mild"), Catch::Contains("'mild'"));
  const auto images = [](const char* preset, int workers) {
    DataLoader loader(Transformed(SyntheticCells({.count = 4, .size = 32}), augmentation(preset)), {.batch_size = 2, .workers = workers, .seed = 3});
    std::vector<Tensor> seen;
    for (int epoch = 0; epoch < 2; ++epoch)
      for (auto& batch : loader) seen.push_back(batch.image);
    return seen;
  };
  for (const char* preset : {"none", "light", "strong"}) {
    const auto a = images(preset, 0), b = images(preset, 3);
    for (size_t i = 0; i < a.size(); ++i) REQUIRE(same_bits(a[i], b[i]));
    REQUIRE(same_bits(a[0], a[2]) == (preset == std::string("none")));
  }
}

}  // namespace tapetum::data
