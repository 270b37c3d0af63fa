#include <catch2/catch.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>

#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/view.h"
#include "core/ops/random.h"
#include "core/serialization/atomic_file.h"
#include "core/serialization/safetensors.h"
#include "tests/fixtures.h"
#include "tests/folder.h"

namespace tapetum {
namespace {

namespace fs = std::filesystem;

constexpr DType kAll[] = {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean};

using test::content;
using test::Folder;

std::string file_of(const std::string& header, const std::string& data = "") {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
}

bool same(const Tensor& a, const Tensor& b) {
  const Tensor x = contiguous(a), y = contiguous(b);
  return x.dtype() == y.dtype() && x.shape() == y.shape() && !std::memcmp(x.raw(), y.raw(), static_cast<size_t>(x.numel()) * size_of(x.dtype()));
}

// A small file of several dtypes, for damage.
std::string sample(const Folder& folder) {
  StateDict state;
  state.set("weight", rand({3, 4}));
  state.set("mask", to(tensor({0, 1, 1}, {3}), DType::boolean));
  state.set("steps", to(scalar_tensor(7), DType::i64));
  save(state, folder / "sample", {{"model", "unet"}});
  return content(folder / "sample");
}

}  // namespace

TEST_CASE("safetensors: every dtype, layout and shape comes back bit for bit, in order") {
  Folder folder;
  StateDict state;
  for (DType t : kAll) state.set(name_of(t), to(rand({2, 3, 5}, -3, 3), t));
  state.set("scalar", scalar_tensor(1.5));
  state.set("empty", empty({0, 7}, DType::i32));
  state.set("transposed", transpose(rand({4, 6}), 0, 1));
  state.set("channels_last", channels_last(rand({2, 3, 4, 5})));
  state.set("expanded", expand(rand({1, 3}), {4, 3}));
  state.set("sliced", slice(rand({9}, 0, 1, DType::f64), 0, 1, 9, 3));
  state.set("name \"with\" \n \\ quotes, ü", rand({2}));
  const Metadata metadata{{"epoch", "3"}, {"text", "line\nbreak \"quote\""}};
  save(state, folder / "x", metadata);

  const Safetensors loaded = load(folder / "x");
  REQUIRE(loaded.metadata == metadata);
  REQUIRE(loaded.size() == state.size());
  for (size_t i = 0; i < state.size(); ++i) {
    INFO(state.begin()[i].first);
    REQUIRE(loaded.begin()[i].first == state.begin()[i].first);
    REQUIRE(same(loaded.begin()[i].second, state.begin()[i].second));
  }
  REQUIRE_FALSE(fs::exists(folder / "x.partial"));
  save({}, folder / "nothing");
  REQUIRE(load(folder / "nothing").size() == 0);
}

TEST_CASE("safetensors: reads what the format's own package wrote") {
  const Safetensors file = load(test::fixture("all_dtypes.safetensors"));
  const std::pair<const char*, DType> names[] = {{"float64", DType::f64}, {"float32", DType::f32}, {"float16", DType::f16}, {"bfloat16", DType::bf16},
                                                 {"int64", DType::i64},   {"int32", DType::i32},   {"uint8", DType::u8},    {"int8", DType::i8}};
  const Tensor values = tensor({0, 1, 2, 3, 4, 5}, {2, 3});
  for (const auto& [name, dtype] : names) REQUIRE(same(file.at(name), to(values, dtype)));
  REQUIRE(same(file.at("bool"), to(tensor({0, 1, 0, 1, 0, 1}, {2, 3}), DType::boolean)));
  REQUIRE(file.at("scalar").item() == 2.5);
  REQUIRE(file.at("empty").shape() == Shape{0, 4});
  REQUIRE(file.metadata == Metadata{{"model", "fixture"},
                                    {"quote",
                                     "a \"quoted\" \xc3\x9cn\xc3\xaf"
                                     "code \\ value"}});
}

// Read by tests/core/check_safetensors.py, which knows the format and nothing of this library.
TEST_CASE("a safetensors file for another reader", "[.file]") {
  const Tensor values = tensor({0, 1, 2, 3, 4, 5}, {2, 3});
  StateDict state;
  for (DType t : {DType::boolean, DType::u8, DType::f64, DType::i32, DType::bf16, DType::i8, DType::f16, DType::i64, DType::f32})
    state.set(name_of(t), to(t == DType::boolean ? values - 2 * floor(values / 2) : values, t));
  state.set("scalar", scalar_tensor(2.5));
  state.set("empty", empty({0, 4}, DType::i32));
  state.set("transposed", transpose(tensor({0, 3, 1, 4, 2, 5}, {3, 2}), 0, 1));
  state.set("ünï \"quoted\" \\ \n", tensor({1}, {1}));
  save(state, "other.safetensors", {{"epoch", "3"}, {"ünï", "line\nbreak \"quoted\" \\"}});
}

TEST_CASE("safetensors: every kind of bad header is refused by name") {
  const auto refused = [](const std::string& bytes, const std::string& reason) {
    REQUIRE_THROWS_AS(parse_safetensors(bytes, "bad.safetensors"), FormatError);
    REQUIRE_THROWS_WITH(parse_safetensors(bytes, "bad.safetensors"), Catch::StartsWith("bad.safetensors: ") && Catch::Contains(reason));
  };
  const auto tensor_of = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string(R"({"a":{"dtype":")") + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const std::string four(4, '\0'), eight(8, '\0');
  refused("", "too few");
  refused(std::string(8, '\xff'), "does not fit");
  refused(std::string("\x10\0\0\0\0\0\0\0{}", 10), "does not fit a file of 10");
  refused(file_of(""), "does not begin with '{'");
  refused(file_of(" {}"), "does not begin with '{'");
  refused(file_of("{"), "not valid JSON");
  refused(file_of("{} x"), "not valid JSON");
  refused(file_of("{\"a\":1}"), "has a number");
  refused(file_of("{\"a\":[1]}"), "has an array");
  refused(file_of("{\"a\":{\"dtype\":{}}}"), "has an object");
  refused(file_of(tensor_of("F8", "[1]", "[0,1]"), four), "dtype 'F8'");
  refused(file_of(tensor_of("F32", "[-1]", "[0,4]"), four), "has -1");
  refused(file_of(tensor_of("F32", "[1.0]", "[0,4]"), four), "has 1.0");
  refused(file_of(tensor_of("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), four), "more than 8 dimensions");
  refused(file_of(tensor_of("F32", "[18446744073709551615]", "[0,4]"), four), "dimension of");
  refused(file_of(tensor_of("F32", "[4294967296,4294967296,0]", "[0,0]")), "overflows");
  refused(file_of(tensor_of("F32", "[2]", "[0,4]"), four), "needs 8 bytes");
  refused(file_of(tensor_of("F32", "[2]", "[0,8]"), four), "holds 4 bytes");
  refused(file_of(tensor_of("F32", "[1]", "[4,0]"), four), "holds 4 bytes");
  refused(file_of(tensor_of("F32", "[1]", "[4,8]"), eight), "begins at byte 4");
  refused(file_of(tensor_of("F32", "[1]", "[0,4,4]"), four), "data_offsets must hold 2");
  refused(file_of(tensor_of("F32", "[1]", "[0,4]"), eight), "4 bytes of data belong to no tensor");
  refused(file_of("{}", four), "4 bytes of data belong to no tensor");
  refused(file_of(tensor_of("BOOL", "[4]", "[0,4]"), std::string("\0\1\2\0", 4)), "byte 2 is 2");
  refused(file_of(R"({"a":{"dtype":"U8","shape":[0]}})"), "must have dtype, shape and data_offsets");
  refused(file_of(R"({"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), "'dtype' twice");
  refused(file_of(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}})"), "unknown key 'x'");
  const std::string entry = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  refused(file_of("{\"a\":" + entry + ",\"a\":" + entry + "}", four), "'a' appears twice");
  refused(file_of("{\"a\":" + entry + ",\"b\":" + entry + "}", four), "begins at byte 0, but the one before it ends at 4");
  refused(file_of(R"({"__metadata__":{"k":"1","k":"2"}})"), "key 'k' appears twice");
  refused(file_of(R"({"__metadata__":{"k":1}})"), "metadata's has a number");
  refused(file_of(R"({"__metadata__":{},"__metadata__":{}})"), "appears twice");
  refused(file_of("{\"a\":" + std::string(100000, '[')), "has an array");
}

TEST_CASE("safetensors: a file cut anywhere is refused") {
  Folder folder;
  const std::string whole = sample(folder);
  for (size_t n = 0; n < whole.size(); ++n) REQUIRE_THROWS_AS(parse_safetensors(std::string_view(whole).substr(0, n), "cut"), FormatError);
  REQUIRE_THROWS_AS(parse_safetensors(whole + '\0', "longer"), FormatError);
  REQUIRE(parse_safetensors(whole, "whole").size() == 3);
}

TEST_CASE("safetensors: flipped bits give an error or a valid result") {
  Folder folder;
  const std::string whole = sample(folder);
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole;
    for (int flips = 1 + i % 3; flips; --flips) damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    try {
      for (const auto& [name, t] : parse_safetensors(damaged, "damaged")) REQUIRE(t.numel() >= 0);
    } catch (const FormatError&) {
    }
  }
}

TEST_CASE("safetensors: what cannot be read or written is named, with the system's reason") {
  Folder folder;
  StateDict state;
  state.set("x", zeros({1000}));
  REQUIRE_THROWS_WITH(load(folder / "absent"), Catch::EndsWith("absent: cannot be read: No such file or directory"));
  REQUIRE_THROWS_WITH(load(folder.path), Catch::EndsWith("not a regular file"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  REQUIRE_THROWS_WITH(load(folder / "pipe"), Catch::EndsWith("not a regular file"));
  REQUIRE_THROWS_WITH(save(state, folder / "no/such/folder"), Catch::EndsWith("cannot be written: No such file or directory"));
  StateDict bad;
  bad.set("\xff", zeros({1}));
  REQUIRE_THROWS_WITH(save(bad, folder / "x"), Catch::EndsWith("is not UTF-8"));
  StateDict absent;
  absent.set("x", Tensor());
  REQUIRE_THROWS_WITH(save(absent, folder / "x"), Catch::EndsWith("'x' is undefined"));
}

TEST_CASE("atomic_file: a failed write leaves the old file and no partial one") {
  Folder folder;
  write_file_atomically(folder / "x", "old");
  // A limit on file sizes stands for a full disk: both make write() fail half-way.
  const rlimit before = [] {
    rlimit r{};
    ::getrlimit(RLIMIT_FSIZE, &r);
    return r;
  }();
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::string message;
  try {
    write_file_atomically(folder / "x", std::string(100000, 'x'));
  } catch (const IoError& e) {
    message = e.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  REQUIRE_THAT(message, Catch::EndsWith("x: writing failed: File too large"));
  REQUIRE(content(folder / "x") == "old");
  REQUIRE_FALSE(fs::exists(folder / "x.partial"));
}

TEST_CASE("state_dict: keeps order, replaces in place, names what is absent") {
  StateDict state;
  state.set("b", zeros({1}));
  state.set("a", zeros({2}));
  state.set("b", zeros({3}));
  REQUIRE(state.begin()->first == "b");
  REQUIRE(state.at("b").numel() == 3);
  REQUIRE_FALSE(state.contains("c"));
  REQUIRE_THROWS_WITH(state.at("c"), Catch::Contains("'c'"));
}

}  // namespace tapetum
