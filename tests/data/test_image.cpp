#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/serialization/atomic_file.h"
#include "tapetum.h"
#include "tests/data/pictures.h"

namespace tapetum::data {
namespace {

using test::gradient;
using test::TemporaryFolder;

int64_t greatest_difference(const Image& a, const Image& b) {
  REQUIRE(a.tensor().shape() == b.tensor().shape());
  int64_t most = 0;
  for (int64_t i = 0; i < a.tensor().numel(); ++i) most = std::max<int64_t>(most, std::abs(a.row(0)[i] - b.row(0)[i]));
  return most;
}

std::string bmp_2x2() {  // rows from the bottom, BGR, padded to four bytes
  const unsigned char bytes[] = {'B', 'M', 70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0, 0,  0,  0,  0, 16,
                                 0,   0,   0,  0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 7, 8,  9, 10, 11, 12, 0, 0};
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

}  // namespace

TEST_CASE("image: wraps u8 tensors of 1, 3 or 4 channels only", "[smoke]") {
  REQUIRE(Image(empty({2, 5, 3}, DType::u8)).width() == 5);
  REQUIRE_THROWS_WITH(Image(empty({2, 5, 2}, DType::u8)), Catch::Contains("[2, 5, 2]"));
  REQUIRE_THROWS_AS(Image(empty({2, 5}, DType::u8)), ShapeError);
  REQUIRE_THROWS_AS(Image(empty({0, 5, 3}, DType::u8)), ShapeError);
  REQUIRE_THROWS_AS(Image(empty({2, 5, 3})), DTypeError);
  REQUIRE(Image(permute(zeros({3, 4, 5}, DType::u8), {1, 2, 0})).tensor().is_contiguous());
}

TEST_CASE("png: comes back bit for bit, in every number of channels and at odd sizes") {
  for (int channels : {1, 3, 4})
    for (Size2 size : {Size2(1), Size2(1, 7), Size2(13, 1), Size2(17, 23)}) {
      const Image image = gradient(size, channels);
      REQUIRE(greatest_difference(image, decode_image(encode_png(image), "test", 0)) == 0);
    }
}

TEST_CASE("jpeg: comes back nearly the same, and scaled down where that is allowed") {
  for (int channels : {1, 3}) {
    const Image image = gradient({40, 61}, channels);
    const std::string bytes = encode_jpeg(image, 95);
    REQUIRE(greatest_difference(image, decode_image(bytes, "test", 0)) < 24);
    const Image quarter = decode_image(bytes, "test", channels, {10, 15});
    REQUIRE(quarter.height() == 10);
    REQUIRE(quarter.width() == 16);
    REQUIRE(decode_image(bytes, "test", channels, {21, 20}).height() == 40);
  }
  REQUIRE_THROWS_AS(encode_jpeg(gradient(4, 4)), FormatError);
  REQUIRE_THROWS_WITH(encode_jpeg(gradient(4, 3), 0), Catch::Contains("got 0"));
}

TEST_CASE("bmp and pnm: are read, and cut ones refused") {
  const Image image = decode_image(bmp_2x2(), "two.bmp");
  REQUIRE(image.row(0)[0] == 9);
  REQUIRE(image.row(0)[5] == 10);
  REQUIRE(image.row(1)[2] == 1);
  REQUIRE_THROWS_WITH(decode_image(bmp_2x2().substr(0, 66), "two.bmp"), Catch::Contains("two.bmp") && Catch::Contains("truncated"));
  const std::string pnm = "P5 2 2 255\n\1\2\3\4";
  REQUIRE(decode_image(pnm, "a.pgm", 1).row(1)[1] == 4);
  REQUIRE_THROWS_AS(decode_image(pnm.substr(0, pnm.size() - 1), "a.pgm"), FormatError);
}

TEST_CASE("image: channels are converted as documented") {
  Image rgb(1, 2, 3);
  const uint8_t pixels[] = {255, 0, 0, 10, 10, 10};
  std::copy(pixels, pixels + 6, rgb.mutable_row(0));
  const Image gray = convert_channels(rgb, 1);
  REQUIRE(gray.row(0)[0] == 76);
  REQUIRE(gray.row(0)[1] == 10);
  REQUIRE(convert_channels(gray, 4).row(0)[3] == 255);
  REQUIRE(convert_channels(convert_channels(rgb, 4), 3).row(0)[0] == 255);
  REQUIRE_THROWS_AS(convert_channels(rgb, 2), ShapeError);
}

TEST_CASE("image: floats are channels first, from 0 to 1, and clamped on the way back") {
  const Image image = gradient({5, 7}, 3);
  const Tensor x = to_float(image);
  REQUIRE(x.shape() == Shape{3, 5, 7});
  REQUIRE(x.data<float>()[5 * 7 + 8] == image.row(1)[4] / 255.f);
  REQUIRE(greatest_difference(from_float(x), image) == 0);
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor odd = tensor({-1, nan, inf, 0.5}, {1, 2, 2});
  const Image back = from_float(odd);
  REQUIRE((back.row(0)[0] == 0 && back.row(0)[1] == 0 && back.row(0)[2] == 255 && back.row(0)[3] == 128));
  REQUIRE_THROWS_AS(from_float(zeros({2, 2})), ShapeError);
  REQUIRE_THROWS_AS(from_float(zeros({2, 2, 2})), ShapeError);
}

TEST_CASE("labels: values as stored, for gray, palette and wide pictures") {
  REQUIRE(decode_labels(test::indexed_png({0, 3, 7, 1}, 2), "p").data<int64_t>()[2] == 7);
  REQUIRE(decode_image(test::indexed_png({0, 3, 7, 1}, 2), "p").row(1)[0] == 70);  // the palette's colour
  REQUIRE(decode_labels(test::wide_png({0, 3, 700, 1}, 2), "w").data<int64_t>()[2] == 700);
  REQUIRE(decode_labels(encode_png(gradient({3, 5}, 1)), "g").shape() == Shape{3, 5});
  const Image gray = gradient({3, 5}, 1);
  REQUIRE(decode_labels(encode_png(convert_channels(gray, 3)), "g").data<int64_t>()[7] == gray.row(1)[2]);
  REQUIRE_THROWS_WITH(decode_labels(encode_png(gradient({3, 5}, 3)), "c.png"), Catch::Contains("c.png") && Catch::Contains("row 0, column 0"));
}

TEST_CASE("image files: errors name the file and the reason") {
  const TemporaryFolder folder;
  REQUIRE_THROWS_WITH(read_image(folder / "none.png"), Catch::Contains("none.png") && Catch::Contains("No such file"));
  REQUIRE_THROWS_AS(read_image(folder.path()), IoError);
  write_file_atomically(folder / "empty.png", "");
  REQUIRE_THROWS_WITH(read_image(folder / "empty.png"), Catch::Contains("empty.png") && Catch::Contains("is empty"));
  write_file_atomically(folder / "text.png", "this is a text, not an image at all");
  REQUIRE_THROWS_WITH(read_image(folder / "text.png"), Catch::Contains("not a JPEG, PNG"));
  REQUIRE_THROWS_AS(write_png(folder / "no/such/folder.png", gradient(4, 3)), IoError);
  write_jpeg(folder / "a.jpg", gradient({9, 11}, 3));
  REQUIRE(read_image(folder / "a.jpg").width() == 11);
}

TEST_CASE("image: sizes are checked before decoding") {
  std::string png = encode_png(gradient(4, 1));
  test::set_png_size(png, 40'000, 10);
  REQUIRE_THROWS_AS(decode_image(png, "wide"), FormatError);
  test::set_png_size(png, 30'000, 30'000);
  REQUIRE_THROWS_WITH(decode_image(png, "large"), Catch::Contains("got 30000 x 30000"));
  test::set_png_size(png, 8'000, 8'000);
  REQUIRE_THROWS_WITH(decode_image(png, "bomb"), Catch::Contains("cannot hold 8000 x 8000"));
}

}  // namespace tapetum::data
