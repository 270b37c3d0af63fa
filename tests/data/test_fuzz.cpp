// Small files, cut at every length and damaged at random: an image or one of the library's errors, and nothing else.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/random.h"
#include "data/codec.h"
#include "tests/data/pictures.h"

namespace tapetum::data {
namespace {

using test::gradient;

struct Seed {
  const char* name;
  std::string bytes;
  bool whole_only;  // no cut of it is an image
};

// A 4 x 4 GIF of one colour: codes clear, eight or so literals, end.
std::string gif() {
  const unsigned char bytes[] = {'G',  'I', 'F', '8', '9', 'a', 4, 0, 4, 0, 0x80, 0, 0,    10,   20,   30,   200,  100, 50,
                                 0x2C, 0,   0,   0,   0,   4,   0, 4, 0, 0, 2,    5, 0x84, 0x8F, 0xA9, 0xCB, 0x05, 0,   0x3B};
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

std::vector<Seed> seeds() {
  return {
      {"png", encode_png(gradient({9, 7}, 3)), true},
      {"png gray", encode_png(gradient({5, 11}, 1)), true},
      {"png rgba", encode_png(gradient({6, 6}, 4)), true},
      {"png palette", test::indexed_png({0, 3, 7, 1, 5, 15}, 3), true},
      {"png 16 bits", test::wide_png({0, 3, 700, 1}, 2), true},
      {"jpeg", encode_jpeg(gradient({17, 13}, 3), 80), true},
      {"jpeg gray", encode_jpeg(gradient({8, 9}, 1), 50), true},
      {"pnm", "P6 2 2 255\n\1\2\3\4\5\6\7\10\11\12\13\14", true},
      {"gif", gif(), false},
  };
}

// Either an image within the limits, or an error that names the file.
bool opens(const std::string& bytes) {
  try {
    const Image image = decode_image(bytes, "hostile");
    REQUIRE((image.height() <= kMaxSide && image.width() <= kMaxSide && image.height() * image.width() <= kMaxPixels));
  } catch (const FormatError& e) {
    REQUIRE_THAT(e.what(), Catch::Contains("hostile"));
    return false;
  }
  try {
    decode_labels(bytes, "hostile");
  } catch (const FormatError&) {
  }
  return true;
}

}  // namespace

TEST_CASE("fuzz: every cut of every format") {
  for (const Seed& seed : seeds()) {
    INFO(seed.name);
    if (seed.whole_only) REQUIRE(opens(seed.bytes));
    for (size_t n = 0; n < seed.bytes.size(); ++n) {
      const bool opened = opens(seed.bytes.substr(0, n));
      INFO("cut to " << n << " of " << seed.bytes.size());
      if (seed.whole_only) REQUIRE(!opened);
    }
  }
}

TEST_CASE("fuzz: damaged bytes") {
  RandomStream random(1);
  for (const Seed& seed : seeds())
    for (int round = 0; round < 1500; ++round) {
      std::string bytes = seed.bytes;
      for (int64_t flips = 1 + random.integer(6); flips > 0; --flips)
        bytes[static_cast<size_t>(random.integer(static_cast<int64_t>(bytes.size())))] = static_cast<char>(random.bits());
      if (round % 2 && is_png(bytes)) test::repair_png_checksums(bytes);
      opens(bytes);
    }
}

TEST_CASE("fuzz: a header's sizes, changed with a valid checksum") {
  RandomStream random(2);
  for (int round = 0; round < 300; ++round) {
    std::string png = encode_png(gradient({9, 7}, 3));
    const auto side = [&] { return static_cast<uint32_t>(random.integer(int64_t{1} << (1 + random.integer(31)))); };
    test::set_png_size(png, side(), side());
    opens(png);
  }
}

TEST_CASE("fuzz: a header that asks for much, on few bytes") {
  std::string jpeg = encode_jpeg(gradient({17, 13}, 3), 80);
  const size_t frame = jpeg.find("\xFF\xC0");
  REQUIRE(frame != std::string::npos);
  for (size_t i : {5, 6, 7, 8}) jpeg[frame + i] = '\x1F';
  REQUIRE_THROWS_WITH(decode_image(jpeg, "hostile"), Catch::Contains("cannot hold 7967 x 7967"));
  REQUIRE_THROWS_AS(decode_image("P6 8000 8000 255\nabc", "hostile"), FormatError);
}

}  // namespace tapetum::data
