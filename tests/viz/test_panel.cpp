#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/view.h"
#include "tests/viz/scene.h"
#include "viz/overlay.h"

using namespace tapetum;
using namespace tapetum::viz;
using tapetum::test::border_is_empty;
using tapetum::test::pixel;
using tapetum::test::same_pixels;
using tapetum::test::sample;

namespace {

PanelOptions options(int64_t classes) {
  PanelOptions o{.title = "A title", .subtitle = "and what stands under it"};
  for (int64_t i = 0; i < classes; ++i) o.classes.push_back("class number " + std::to_string(i));
  for (int i = 0; i < 9; ++i) o.facts.push_back({"Fact " + std::to_string(i), "value"});
  return o;
}

int64_t count(const Tensor& image, Color color) {
  int64_t n = 0;
  for (int64_t y = 0; y < image.size(0); ++y)
    for (int64_t x = 0; x < image.size(1); ++x) n += pixel(image, x, y) == color;
  return n;
}

}  // namespace

TEST_CASE("panel: everything stays inside its margins") {
  PanelOptions long_texts = options(20);
  long_texts.title = long_texts.subtitle = std::string(400, 'W');
  long_texts.classes[3] = long_texts.facts[2].value = long_texts.facts[8].name = std::string(300, 'M');
  PanelRow row = sample(33, 47, 20, 1);
  row.name = std::string(200, 'x');
  CHECK(border_is_empty(segmentation_panel({row}, long_texts), 44));
  CHECK(border_is_empty(segmentation_panel({}, long_texts), 44));
  CHECK(border_is_empty(segmentation_panel({}, {}), 44));
  CHECK(border_is_empty(segmentation_panel({}, {.title = ""}), 44));
}

TEST_CASE("panel: takes images of any size and shape, differing from row to row") {
  std::vector<PanelRow> rows;
  for (const Shape& s : {Shape{1, 1}, Shape{128, 128}, Shape{1, 700}, Shape{700, 1}, Shape{17, 301}, Shape{480, 360}})
    rows.push_back(sample(s[0], s[1], 5, 3));
  const Tensor panel = segmentation_panel(rows, options(5));
  CHECK(border_is_empty(panel, 44));
  CHECK(same_pixels(panel, segmentation_panel(rows, options(5))));
}

TEST_CASE("panel: takes grey, floating and permuted images and any integer labels") {
  const PanelRow row = sample(24, 40, 3, 5);
  const Tensor planes = permute(to(row.image, DType::f32) * (1 / 255.0), {2, 0, 1});
  const Tensor expected = segmentation_panel({row}, options(3));
  CHECK(same_pixels(expected, segmentation_panel({{planes, row.truth, row.prediction, "sample"}}, options(3))));
  CHECK(same_pixels(expected, segmentation_panel({{row.image, to(row.truth, DType::u8), to(row.prediction, DType::i32), "sample"}}, options(3))));
  const Tensor sideways = transpose(row.image, 0, 1), gray = slice(row.image, 2, 0, 1);
  const PanelRow turned{contiguous(sideways), contiguous(transpose(row.truth, 0, 1)), contiguous(transpose(row.prediction, 0, 1)), "sample"};
  CHECK(same_pixels(segmentation_panel({turned}, options(3)),
                    segmentation_panel({{sideways, transpose(row.truth, 0, 1), transpose(row.prediction, 0, 1), "sample"}}, options(3))));
  CHECK(same_pixels(segmentation_panel({{gray, row.truth, row.prediction, ""}}, options(3)),
                    segmentation_panel({{cat({gray, gray, gray}, 2), row.truth, row.prediction, ""}}, options(3))));
}

TEST_CASE("panel: errors are told apart, and ignored pixels are none") {
  const Color false_positive = Color::hex(0xffb01f), false_negative = Color::hex(0xff3b77), wrong_class = Color::hex(0x4cc9f0);
  const auto errors = [&](double truth, double prediction, PanelOptions o, Color color) {
    const PanelRow row{zeros({264, 264, 3}, DType::u8), full({264, 264}, truth, DType::i64), full({264, 264}, prediction, DType::i64), ""};
    return count(segmentation_panel({row}, o), color) > 60000;
  };
  CHECK(errors(0, 1, options(2), false_positive));
  CHECK(errors(1, 0, options(2), false_negative));
  CHECK(errors(1, 2, options(3), wrong_class));
  PanelOptions other = options(3);
  other.background = false;
  CHECK(errors(0, 1, other, wrong_class));
  other.ignore_index = 0;
  CHECK_FALSE(errors(0, 1, other, wrong_class));
}

TEST_CASE("panel: says which picture does not fit") {
  const Tensor image = zeros({8, 9, 3}, DType::u8), labels = zeros({8, 9}, DType::i64);
  CHECK_THROWS_WITH(segmentation_panel({{image, zeros({9, 8}, DType::i64), labels, ""}}, {}),
                    "segmentation_panel: truth: labels must be as large as the image, [8, 9], got [9, 8]");
  CHECK_THROWS_AS(segmentation_panel({{image, labels, zeros({8, 9}), ""}}, {}), DTypeError);
  CHECK_THROWS_AS(segmentation_panel({{zeros({8, 9}, DType::u8), labels, labels, ""}}, {}), ShapeError);
  CHECK_THROWS_AS(segmentation_panel({{zeros({3, 8, 9}, DType::f64), labels, labels, ""}}, {}), DTypeError);
  CHECK_THROWS_AS(segmentation_panel({{zeros({0, 9, 3}, DType::u8), zeros({0, 9}, DType::i64), zeros({0, 9}, DType::i64), ""}}, {}), ShapeError);
  CHECK_THROWS_AS(segmentation_panel({{image, full({8, 9}, -1, DType::i64), labels, ""}}, {}), Error);
  CHECK_THROWS_AS(segmentation_panel({{image, labels, full({8, 9}, 1e15, DType::i64), ""}}, {}), Error);
}

TEST_CASE("overlay: tints the classes, outlines them, and leaves the background") {
  const Tensor image = full({40, 40, 3}, 100, DType::u8);
  Tensor labels = zeros({40, 40}, DType::i64);
  for (int64_t y = 10; y < 30; ++y)
    for (int64_t x = 10; x < 30; ++x) labels.mutable_data<int64_t>()[y * 40 + x] = 1;
  const Tensor result = overlay(image, labels);
  CHECK(pixel(result, 5, 5) == Color{100, 100, 100});
  CHECK(pixel(result, 10, 20) == class_color(1));
  CHECK(pixel(result, 20, 20) == mix({100, 100, 100}, class_color(1), 0.4f));
  CHECK(pixel(image, 20, 20) == Color{100, 100, 100});  // the image itself is not painted on
  CHECK(pixel(overlay(image, labels, {.outline = -1}), 10, 20) == pixel(result, 20, 20));
  const Tensor thick = overlay(image, labels, {.outline = 3});
  CHECK(pixel(thick, 12, 12) == class_color(1));
  CHECK(pixel(thick, 13, 12) == class_color(1));
  CHECK(pixel(thick, 13, 13) == pixel(result, 20, 20));
  CHECK_THROWS_AS(overlay(image, zeros({40, 41}, DType::i64)), ShapeError);
  overlay(zeros({1, 1, 1}, DType::u8), zeros({1, 1}, DType::i64));
}
