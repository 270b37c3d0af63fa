#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/serialization/atomic_file.h"
#include "data/folder.h"
#include "data/image.h"
#include "data/paired_folder.h"
#include "tests/data/pictures.h"

namespace tapetum::data {
namespace {

using test::gradient;
using test::TemporaryFolder;

Image labels(Size2 size, std::initializer_list<int> values) {
  Image image(size.h, size.w, 1);  // zeros after the given values
  std::fill_n(image.mutable_row(0), image.tensor().numel(), uint8_t{0});
  std::copy(values.begin(), values.end(), image.mutable_row(0));
  return image;
}

std::vector<int64_t> values(const Tensor& mask) { return {mask.data<int64_t>(), mask.data<int64_t>() + mask.numel()}; }

struct Folders {
  TemporaryFolder top;
  std::string images = top.make("images"), masks = top.make("masks");
};

}  // namespace

TEST_CASE("folder: natural order, image files only") {
  std::vector<std::string> names{"img10", "img2", "b", "img02", "a", "img1x", "img", "img1"};
  std::sort(names.begin(), names.end(), natural_less);
  REQUIRE(names == std::vector<std::string>{"a", "b", "img", "img1", "img1x", "img02", "img2", "img10"});
  REQUIRE(natural_less("7", "99999999999999999999999999"));
  const TemporaryFolder folder;
  for (const char* name : {"10.png", "9.PNG", "notes.txt", ".hidden.png", "SHA256SUMS", "2.jpeg"}) write_file_atomically(folder / name, "x");
  folder.make("folder.png");
  REQUIRE(image_files(folder.path()) == std::vector<std::string>{folder / "2.jpeg", folder / "9.PNG", folder / "10.png"});
  REQUIRE_THROWS_WITH(image_files(folder / "none"), Catch::Contains("none") && Catch::Contains("No such file"));
  REQUIRE_THROWS_AS(image_files(folder.make("empty")), FormatError);
}

TEST_CASE("paired folder: pairs by stem in natural order") {
  const Folders f;
  for (int i : {10, 2, 1}) {
    write_jpeg(f.images + "/" + std::to_string(i) + ".jpg", gradient({4, 6}, 3));
    write_png(f.masks + "/" + std::to_string(i) + ".png", labels({4, 6}, {i % 3, 1}));
  }
  const PairedFolder set({.images = f.images, .masks = f.masks, .mask = {.classes = 3}});
  REQUIRE((set.size() == 3 && set.name(0) == "1" && set.name(1) == "2" && set.name(2) == "10"));
  const auto s = set.get(1);
  REQUIRE(s.image.shape() == Shape{4, 6, 3});
  REQUIRE(s.mask.shape() == Shape{4, 6});
  REQUIRE(s.mask.data<int64_t>()[0] == 2);
  REQUIRE_THROWS_AS(set.get(3), ShapeError);
  const PairedFolder small({.images = f.images, .masks = f.masks, .size = {5, 3}, .mask = {.classes = 3}});
  REQUIRE(small.get(0).image.shape() == Shape{5, 3, 3});
  REQUIRE(small.get(0).mask.shape() == Shape{5, 3});
}

TEST_CASE("paired folder: one error lists what has no partner") {
  const Folders f;
  for (int i = 0; i < 12; ++i) write_file_atomically(f.images + "/" + std::to_string(i) + ".png", "x");
  write_file_atomically(f.masks + "/0.png", "x");
  write_file_atomically(f.masks + "/lonely.png", "x");
  REQUIRE_THROWS_WITH(PairedFolder({.images = f.images, .masks = f.masks}),
                      Catch::Contains("11 of 12 images") && Catch::Contains("1, 2, 3, 4, 5, 6, 7, 8 and 3 more") && Catch::Contains("lonely"));
  write_file_atomically(f.masks + "/0.jpg", "x");
  REQUIRE_THROWS_WITH(PairedFolder({.images = f.images, .masks = f.masks}), Catch::Contains("0.jpg") && Catch::Contains("0.png"));
  REQUIRE_THROWS_WITH(PairedFolder({.images = f.top / "no", .masks = f.masks}), Catch::Contains("/no"));
}

TEST_CASE("paired folder: an image and a mask of two sizes") {
  const Folders f;
  write_png(f.images + "/a.png", gradient({4, 6}, 3));
  write_png(f.masks + "/a.png", labels({6, 4}, {0}));
  const PairedFolder set({.images = f.images, .masks = f.masks, .mask = {.classes = 256}});
  REQUIRE_THROWS_WITH(set.get(0), Catch::Contains("is 6 x 4, but its mask") && Catch::Contains("is 4 x 6"));
  REQUIRE_THROWS_AS(PairedFolder({.images = f.images, .masks = f.masks, .size = {0, 3}}), ShapeError);
  REQUIRE_THROWS_AS(PairedFolder({.images = f.images, .masks = f.masks, .size = -1}), ShapeError);
}

TEST_CASE("mask: class ids within range, or the ignored one") {
  const TemporaryFolder f;
  write_png(f / "m.png", labels({1, 4}, {0, 1, 2, 11}));
  REQUIRE(values(read_mask(f / "m.png", {.classes = 12})) == std::vector<int64_t>{0, 1, 2, 11});
  REQUIRE(values(read_mask(f / "m.png", {.classes = 3, .ignore_index = 11})) == std::vector<int64_t>{0, 1, 2, 11});
  REQUIRE_THROWS_WITH(read_mask(f / "m.png", {.classes = 3}),
                      Catch::Contains("m.png") && Catch::Contains("below 3 classes") && Catch::Contains("got 11 at row 0, column 3"));
  REQUIRE_THROWS_WITH(read_mask(f / "m.png", {.classes = 2, .ignore_index = 11}), Catch::Contains("or 11 (ignored), got 2"));
}

TEST_CASE("mask: one threshold makes two classes") {
  const TemporaryFolder f;
  write_png(f / "m.png", convert_channels(labels({1, 4}, {0, 127, 128, 255}), 3));
  REQUIRE(values(read_mask(f / "m.png", {.threshold = 127})) == std::vector<int64_t>{0, 0, 1, 1});
  REQUIRE_THROWS_AS(check({.threshold = 255}), FormatError);
  REQUIRE_THROWS_AS(check({.classes = 3, .threshold = 10}), FormatError);
  REQUIRE_THROWS_AS(check({.classes = 0}), FormatError);
}

TEST_CASE("mask: colours of a list") {
  const TemporaryFolder f;
  write_file_atomically(f / "colours.txt", "# red green blue name\n0 0 0 ground\n\n 10 1 2  tall tree \r\n0 0 255 ignore\n");
  const LabelColours list = read_label_colours(f / "colours.txt");
  REQUIRE(list.names == std::vector<std::string>{"ground", "tall tree"});
  Image picture(1, 3, 3);
  const uint8_t pixels[] = {10, 1, 2, 0, 0, 255, 0, 0, 0};
  std::copy(pixels, pixels + 9, picture.mutable_row(0));
  write_png(f / "m.png", picture);
  REQUIRE(values(read_mask(f / "m.png", {.colours = list, .ignore_index = 99})) == std::vector<int64_t>{1, 99, 0});
  picture.mutable_row(0)[8] = 1;
  write_png(f / "m.png", picture);
  REQUIRE_THROWS_WITH(read_mask(f / "m.png", {.colours = list, .ignore_index = 99}), Catch::Contains("0 0 1 at row 0, column 2"));
  REQUIRE_THROWS_AS(check({.classes = 3, .colours = list, .ignore_index = 9}), FormatError);
  REQUIRE_THROWS_AS(check({.colours = list}), FormatError);
}

TEST_CASE("mask: a list of colours may leave out names, and says which line is wrong") {
  const TemporaryFolder f;
  const auto read = [&](const char* text) {
    write_file_atomically(f / "list.txt", text);
    return read_label_colours(f / "list.txt");
  };
  REQUIRE(read("0 0 0\n1 2 3 # the sky\n4 5 6\tcar, parked").names == std::vector<std::string>{"class 0", "class 1", "car, parked"});
  for (const char* bad : {"1 2 300 sky", "1 2 sky", "1 2 3sky", "-1 0 0 sky", "0 0 0 a\n0 0 0 b", "0 0 0 a\n1 0 0 a", "0 0 0 a\n0 0 0 ignore"})
    REQUIRE_THROWS_WITH(read(bad), Catch::Contains("list.txt: line "));
  REQUIRE_THROWS_WITH(read("# nothing\n"), Catch::Contains("list.txt: lists no class"));
}

TEST_CASE("paired folder: public data sets") {
  const char* root = std::getenv("TAPETUM_DATA");
  if (!root) {
    WARN("skipped: TAPETUM_DATA is not set");
    return;
  }
  const std::string data = root;
  const PairedFolder membrane({.images = data + "/membrane/image", .masks = data + "/membrane/label", .size = 64, .mask = {.threshold = 127}});
  const PairedFolder camvid({.images = data + "/camvid/train", .masks = data + "/camvid/trainannot", .mask = {.classes = 11, .ignore_index = 11}});
  const PairedFolder tents({.images = data + "/tents/images", .masks = data + "/tents/labels", .mask = {.threshold = 150}});
  REQUIRE((membrane.size() == 21 && membrane.name(2) == "2" && membrane.name(20) == "20"));
  REQUIRE(membrane.get(3).mask.shape() == Shape{64, 64});
  REQUIRE(camvid.size() == 37);
  REQUIRE(camvid.get(36).image.shape() == Shape{360, 480, 3});
  REQUIRE(tents.size() == 42);
  REQUIRE(tents.get(0).mask.shape() == Shape{512, 512});
  REQUIRE_THROWS_WITH(PairedFolder({.images = data + "/camvid/train", .masks = data + "/camvid/trainannot", .mask = {.classes = 5}}).get(0),
                      Catch::Contains("trainannot") && Catch::Contains("below 5 classes"));
}

}  // namespace tapetum::data
