#include <catch2/catch.hpp>

#include <cmath>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/random.h"
#include "data/image.h"
#include "tests/viz/scene.h"
#include "viz/classification_panel.h"
#include "viz/confusion.h"
#include "viz/lr_curve.h"
#include "viz/reliability.h"

using namespace tapetum;
using namespace tapetum::viz;
using tapetum::test::border_is_empty;
using tapetum::test::same_pixels;

namespace {

// Mostly right, wrong for neighbouring classes; the third class never occurs.
train::ConfusionMatrix matrix(int64_t classes, int64_t samples = 4000) {
  train::ConfusionMatrix m(classes);
  RandomStream random(1);
  Tensor p = empty({samples}, DType::i64), t = empty({samples}, DType::i64);
  for (int64_t i = 0; i < samples; ++i) {
    int64_t truth = random.integer(classes);
    if (truth == 2) truth = 0;
    int64_t predicted = truth;
    if (random.chance(0.2)) predicted = random.chance(0.6) ? (truth + 1) % classes : random.integer(classes);
    p.mutable_data<int64_t>()[i] = predicted, t.mutable_data<int64_t>()[i] = truth;
  }
  m.add(p, t);
  return m;
}

std::vector<std::string> names(int64_t classes, const std::string& text) {
  std::vector<std::string> list;
  for (int64_t i = 0; i < classes; ++i) list.push_back(text + std::to_string(i));
  return list;
}

std::vector<train::CalibrationBin> bins(int64_t n) {
  std::vector<train::CalibrationBin> list;
  for (int64_t i = 0; i < n; ++i) {
    const double low = static_cast<double>(i) / static_cast<double>(n), high = static_cast<double>(i + 1) / static_cast<double>(n);
    list.push_back({low, high, i * i, (low + high) / 2, 0.8 * (low + high) / 2 + 0.05});
  }
  return list;
}

std::vector<ClassifiedImage> images(int64_t n) {
  std::vector<ClassifiedImage> list;
  const char* classes[] = {"aeroplane", "cat", "dog", "a class with a long name"};
  for (int64_t i = 0; i < n; ++i) {
    const int64_t h = i % 5 == 4 ? 200 : 32, w = i % 5 == 3 ? 90 : 32;
    Tensor image = empty({h, w, 3}, DType::u8);
    RandomStream random(static_cast<uint64_t>(i));
    for (int64_t k = 0; k < image.numel(); ++k)
      image.mutable_data<uint8_t>()[k] = static_cast<uint8_t>(40 * (k % 3) + (k / 3 % w) * 100 / w + random.integer(60));
    list.push_back({image, classes[i % 4], i % 7 == 6 ? "" : classes[(i + (i % 3 == 1)) % 4], 0.35 + 0.06 * static_cast<double>(i % 11)});
  }
  return list;
}

}  // namespace

TEST_CASE("confusion_matrix picture: any number of classes and any names stay inside the margins") {
  for (int64_t n : {1, 2, 3, 10, 20, 21, 50, 100, 300}) {
    INFO(n);
    CHECK(border_is_empty(confusion_matrix(matrix(n)), 40));
    CHECK(border_is_empty(
        confusion_matrix(matrix(n), {.title = std::string(300, 'W'), .subtitle = std::string(300, 'M'), .classes = names(n, std::string(80, 'x'))}),
        40));
  }
  CHECK(border_is_empty(confusion_matrix(train::ConfusionMatrix(3)), 40));
  CHECK(border_is_empty(confusion_matrix(train::ConfusionMatrix(3), {.classes = {"one name alone"}}), 40));
  CHECK(same_pixels(confusion_matrix(matrix(5)), confusion_matrix(matrix(5))));
  CHECK(confusion_matrix(matrix(5), {.scale = 2}).size(0) == 2 * confusion_matrix(matrix(5)).size(0));
  CHECK_THROWS_WITH(confusion_matrix(train::ConfusionMatrix(1001)), "confusion_matrix: at most 1000 classes can be drawn, got 1001");
}

TEST_CASE("confusion_matrix picture: rows are true classes, columns predicted ones") {
  train::ConfusionMatrix m(2);
  m.add(tensor({1, 1}, DType::i64), tensor({0, 0}, DType::i64));  // class 0 is always taken for class 1
  const Tensor picture = confusion_matrix(m);
  const Color full = sequential_color(1);
  double x = 0, y = 0, n = 0;
  for (int64_t j = 0; j < picture.size(0) * 3 / 4; ++j)
    for (int64_t i = 0; i < picture.size(1) * 3 / 4; ++i)
      if (test::pixel(picture, i, j) == full) x += static_cast<double>(i), y += static_cast<double>(j), ++n;
  REQUIRE(n > 116 * 50);
  CHECK(x / n > 180);  // the right one of the upper row
  CHECK(y / n < 260);
}

TEST_CASE("sequential_color: gets darker all the way, and takes any number") {
  const auto light = [](double t) {
    const Color c = sequential_color(t);
    return 0.2126 * c.r + 0.7152 * c.g + 0.0722 * c.b;
  };
  for (int i = 0; i < 50; ++i) CHECK(light(i / 50.0) > light((i + 1) / 50.0));
  CHECK(sequential_color(NAN) == sequential_color(0));
  CHECK(sequential_color(-HUGE_VAL) == sequential_color(0));
  CHECK(sequential_color(HUGE_VAL) == sequential_color(1));
}

TEST_CASE("reliability diagram: empty bins, one bin, many, and none") {
  for (int64_t n : {0, 1, 10, 15, 200}) CHECK(border_is_empty(reliability_diagram(bins(n)), 24));
  CHECK(border_is_empty(reliability_diagram(train::ClassificationMetrics(3).result().bins), 24));
  CHECK(border_is_empty(reliability_diagram(bins(10), {.title = std::string(200, 'W'), .subtitle = std::string(200, 'W'), .scale = 0.5}), 12));
}

TEST_CASE("classification panel: any number of images of any size, long names, unknown truth") {
  for (int64_t n : {0, 1, 2, 7, 40}) CHECK(border_is_empty(classification_panel(images(n)), 30));
  auto list = images(3);
  list[0].predicted = list[1].truth = std::string(200, 'W');
  list[2].score = NAN;
  list[0].image = full({1, 1, 1}, 0, DType::u8);
  list[1].image = full({3, 2, 700}, 0.5);
  CHECK(border_is_empty(classification_panel(list, {.title = std::string(200, 'W'), .subtitle = std::string(200, 'W')}), 30));
  CHECK(border_is_empty(classification_panel(list, {.columns = 1, .cell = 16}), 30));
  CHECK(border_is_empty(classification_panel(list, {.columns = 100}), 30));
  CHECK_THROWS_AS(classification_panel(list, {.columns = -1}), Error);
  CHECK_THROWS_AS(classification_panel(list, {.cell = 0}), Error);
  list[0].image = zeros({4, 4});
  CHECK_THROWS_AS(classification_panel(list), ShapeError);
}

TEST_CASE("learning_rate_curve: sweeps without a fall, without a step, and with a peak") {
  train::LrSweep sweep;
  CHECK(border_is_empty(learning_rate_curve(sweep), 2));
  for (int i = 0; i < 60; ++i) {
    sweep.lr.push_back(std::pow(10, -5 + i / 12.0));
    sweep.smoothed.push_back(2.3 - 1.5 / (1 + std::exp(-(i - 30) / 4.0)) + (i > 50 ? 0.05 * (i - 50) * (i - 50) : 0));
    sweep.loss.push_back(sweep.smoothed.back() + 0.1 * std::sin(3 * i) + (i == 59 ? 1e9 : 0));
  }
  CHECK(border_is_empty(learning_rate_curve(sweep), 2));
  sweep.steepest = sweep.lr[30], sweep.minimum_tenth = sweep.lr[38];
  CHECK(border_is_empty(learning_rate_curve(sweep), 2));
}

TEST_CASE("the pictures of classification to look at", "[.file]") {
  const auto save = [](const char* name, const Tensor& picture) { write_png(name, data::Image(picture)); };
  const std::vector<std::string> cifar{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  save("confusion2.png", confusion_matrix(matrix(2), {.classes = {"benign", "malignant"}}));
  save("confusion3.png", confusion_matrix(matrix(3)));
  save("confusion10.png", confusion_matrix(matrix(10), {.classes = cifar}));
  save("confusion20.png", confusion_matrix(matrix(20), {.classes = names(20, "class ")}));
  save("confusion37.png", confusion_matrix(matrix(37), {.classes = names(37, "some breed ")}));
  save("confusion100.png", confusion_matrix(matrix(100, 10000), {.classes = names(100, "class ")}));
  save("reliability.png", reliability_diagram(bins(15)));
  save("classified.png", classification_panel(images(24)));
  save("classified3.png", classification_panel(images(3)));
  train::LrSweep sweep;
  for (int i = 0; i < 60; ++i) {
    sweep.lr.push_back(std::pow(10, -5 + i / 12.0));
    sweep.smoothed.push_back(2.3 - 1.5 / (1 + std::exp(-(i - 30) / 4.0)) + (i > 50 ? 0.05 * (i - 50) * (i - 50) : 0));
    sweep.loss.push_back(sweep.smoothed.back() + 0.1 * std::sin(3 * i) + (i == 59 ? 1e9 : 0));
  }
  sweep.steepest = sweep.lr[30], sweep.minimum_tenth = sweep.lr[38];
  save("rates.png", learning_rate_curve(sweep));
}
