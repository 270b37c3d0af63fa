#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/serialization/crc.h"
#include "core/serialization/protobuf.h"
#include "core/serialization/protobuf_writer.h"
#include "tests/folder.h"
#include "train/tensorboard.h"

namespace tapetum::train {
namespace {

using test::content, test::Folder;

// The events of a file, whose checks and lengths must be right to its end.
std::vector<std::string> events(const std::string& path) {
  const std::string file = content(path);
  std::vector<std::string> list;
  const auto check = [&](size_t at, size_t bytes) {
    uint32_t stored;
    std::memcpy(&stored, file.data() + at + bytes, 4);
    const uint32_t turned = stored - 0xa282ead8u;
    REQUIRE((turned >> 17 | turned << 15) == crc32c(file.data() + at, bytes));
  };
  for (size_t at = 0; at < file.size();) {
    uint64_t size;
    REQUIRE(at + 12 <= file.size());
    std::memcpy(&size, file.data() + at, 8);
    check(at, 8);
    REQUIRE(at + 12 + size + 4 <= file.size());
    check(at + 12, size);
    list.push_back(file.substr(at + 12, size));
    at += 12 + size + 4;
  }
  return list;
}

// The bytes of a field within a message, by its path of numbers.
std::string field(std::string message, std::initializer_list<uint32_t> path) {
  const std::string name = "event";
  for (uint32_t wanted : path) {
    std::string found;
    for (ProtobufReader r(message, name); r.next();)
      if (r.field() == wanted) found = r.is_bytes() ? std::string(r.bytes()) : std::to_string(r.number());
    message = found;
  }
  return message;
}

std::vector<double> numbers(const std::string& packed) {
  std::vector<double> list(packed.size() / 8);
  if (!list.empty()) std::memcpy(list.data(), packed.data(), packed.size());
  return list;
}

}  // namespace

TEST_CASE("protobuf_writer: what the reader reads, up to the greatest numbers") {
  ProtobufWriter w;
  w.varint(1, 0).varint(2, 127).varint(3, 128).varint(0x1FFFFFFF, UINT64_MAX).number(5, 1.5).number(6, 2.5f).bytes(7, std::string(300, 'x'));
  w.packed(8, {1, -2}).packed(9, {});
  const std::string name = "test", message = w.message();
  ProtobufReader r(message, name);
  for (const auto& [field, value] : {std::pair<uint32_t, uint64_t>{1, 0}, {2, 127}, {3, 128}, {0x1FFFFFFF, UINT64_MAX}}) {
    REQUIRE(r.next());
    CHECK(r.field() == field);
    CHECK(r.number() == value);
  }
  REQUIRE(r.next());
  CHECK(r.number() == 0x3ff8000000000000u);
  REQUIRE(r.next());
  CHECK(r.number() == 0x40200000u);
  REQUIRE(r.next());
  CHECK(r.bytes() == std::string(300, 'x'));
  REQUIRE(r.next());
  CHECK(numbers(std::string(r.bytes())) == std::vector<double>{1, -2});
  CHECK_FALSE(r.next());
}

TEST_CASE("tensorboard: an event is on the disk when its call returns") {
  Folder folder;
  SummaryWriter writer(folder / "a/b");
  CHECK(std::filesystem::path(writer.path()).filename().string().rfind("events.out.tfevents.", 0) == 0);
  REQUIRE(events(writer.path()).size() == 1);
  CHECK(field(events(writer.path())[0], {3}) == "brain.Event:2");
  writer.add_scalar("loss", 0.5, 7);
  REQUIRE(events(writer.path()).size() == 2);
  const std::string event = events(writer.path())[1];
  CHECK(field(event, {2}) == "7");
  CHECK(field(event, {5, 1, 1}) == "loss");
  CHECK(field(event, {5, 1, 2}) == std::to_string(0x3f000000));
  writer.add_scalar("loss", NAN, -1);
  CHECK(field(events(writer.path())[2], {2}) == std::to_string(UINT64_MAX));
}

TEST_CASE("tensorboard: two writers of one second have files of their own") {
  Folder folder;
  SummaryWriter a(folder / "a"), b(folder / "a", 5);
  CHECK(a.path() != b.path());
  REQUIRE(events(b.path()).size() == 2);
  CHECK(field(events(b.path())[1], {2}) == "5");
  CHECK(field(events(b.path())[1], {7, 1}) == "1");
}

TEST_CASE("tensorboard: a histogram's buckets hold every value once, its sums are the values'") {
  Folder folder;
  SummaryWriter writer(folder / "a");
  const std::vector<std::vector<double>> sets = {{0}, {-1, 0, 1, 1}, {1e300, -1e300, 1e-300}, {5, 5, 5}, {std::numeric_limits<double>::max()}};
  for (const auto& values : sets) {
    Tensor t = empty({static_cast<int64_t>(values.size())}, DType::f64);
    std::copy(values.begin(), values.end(), t.mutable_data<double>());
    writer.add_histogram("h", t, 0);
    const std::string event = events(writer.path()).back();
    const auto limits = numbers(field(event, {5, 1, 5, 6})), counts = numbers(field(event, {5, 1, 5, 7}));
    REQUIRE(limits.size() == counts.size());
    double total = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      total += counts[i];
      double expected = 0;
      for (double v : values) expected += v < limits[i] && (i == 0 || v >= limits[i - 1]);
      if (limits[i] < std::numeric_limits<double>::max()) CHECK(counts[i] == expected);
    }
    CHECK(total == static_cast<double>(values.size()));
  }
  writer.add_histogram("integers", tensor({1, 2, 3}, DType::i64), 0);
  CHECK_THROWS_WITH(writer.add_histogram("w", tensor({1, NAN}), 0), "add_histogram: w: values must be finite, got nan");
  CHECK_THROWS_AS(writer.add_histogram("w", tensor({HUGE_VAL}), 0), Error);
  CHECK_THROWS_WITH(writer.add_histogram("w", zeros({0, 2}), 0), "add_histogram: w: at least one value is expected, got [0, 2]");
}

TEST_CASE("tensorboard: images of both layouts, and what is none") {
  Folder folder;
  SummaryWriter writer(folder / "a");
  writer.add_image("i", full({2, 3, 1}, 7, DType::u8), 1);
  const std::string event = events(writer.path()).back();
  CHECK(field(event, {5, 1, 4, 1}) == "2");
  CHECK(field(event, {5, 1, 4, 2}) == "3");
  CHECK(field(event, {5, 1, 4, 3}) == "1");
  CHECK(field(event, {5, 1, 4, 4}).substr(1, 3) == "PNG");
  writer.add_image("f", full({3, 2, 5}, 0.5), 1);
  CHECK(field(events(writer.path()).back(), {5, 1, 4, 2}) == "5");
  CHECK_THROWS_AS(writer.add_image("x", zeros({2, 3, 2}, DType::u8), 1), ShapeError);
  CHECK_THROWS_AS(writer.add_image("x", zeros({2, 3, 3}, DType::i64), 1), DTypeError);
}

TEST_CASE("tensorboard: a folder that cannot be made is named") {
  Folder folder;
  { std::ofstream(folder / "file") << "x"; }
  CHECK_THROWS_AS(SummaryWriter(folder / "file"), IoError);
}

// Read by tests/train/check_tensorboard.py.
TEST_CASE("an event file for another reader", "[.file]") {
  {
    SummaryWriter before("events");
    before.add_scalar("loss", 99, 1), before.add_scalar("loss", 98, 3);
  }
  SummaryWriter writer("events", 2);
  for (int step = 2; step < 5; ++step) writer.add_scalar("loss", 1.0 / step, step);
  writer.add_scalar("nan", NAN, 0);
  Tensor picture = empty({2, 3, 3}, DType::u8);
  for (int i = 0; i < 18; ++i) picture.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(10 * i);
  writer.add_image("picture", picture, 3);
  writer.add_histogram("weights", tensor({-1, 0, 0.5, 0.5, 2}), 4);
  writer.add_text("note", "**bold** ünï", 4);
}

}  // namespace tapetum::train
