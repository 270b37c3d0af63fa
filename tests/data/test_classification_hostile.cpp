// Files that are cut, damaged or made to deceive: every reader of classification data answers with one of the library's errors.
#include <catch2/catch.hpp>

#include <chrono>

#include "core/error.h"
#include "core/random.h"
#include "core/serialization/safetensors.h"
#include "data/cifar.h"
#include "data/csv.h"
#include "data/csv_dataset.h"
#include "data/gzip.h"
#include "data/idx.h"
#include "tests/fixtures.h"

namespace tapetum::data {
namespace {

std::string fixture_file(const std::string& name) {
  static const Safetensors all = load(tapetum::test::fixture("datasets.safetensors"));
  const Tensor& t = all.at(name + ".file");
  return {reinterpret_cast<const char*>(t.data<uint8_t>()), static_cast<size_t>(t.numel())};
}

std::string idx_header(std::initializer_list<uint32_t> sizes) {
  std::string bytes{0, 0, 8, static_cast<char>(sizes.size())};
  for (uint32_t n : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift);
  return bytes;
}

std::vector<std::vector<std::string>> rows(const std::string& text) {
  CsvReader csv(text, "table.csv");
  std::vector<std::vector<std::string>> all;
  while (csv.next()) all.push_back(csv.fields());
  return all;
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("cifar: cut, misfit and mislabelled records") {
  const std::string record(3073, '\1');
  REQUIRE_THROWS_WITH(parse_cifar("", "a.bin", CifarLabels::ten), Catch::Contains("a.bin: is empty"));
  REQUIRE_THROWS_WITH(parse_cifar(record + record.substr(1), "a.bin", CifarLabels::ten), Catch::Contains("records of 3073 bytes, got 6145"));
  REQUIRE_THROWS_WITH(parse_cifar(record, "a.bin", CifarLabels::fine), Catch::Contains("records of 3074 bytes"));
  std::string wrong = record + record;
  wrong[3073] = 10;
  REQUIRE_THROWS_WITH(parse_cifar(wrong, "a.bin", CifarLabels::ten), Catch::Contains("record 1: expected a label below 10, got 10"));
  REQUIRE_THROWS_WITH(parse_cifar("\1\144" + std::string(3072, 'x'), "a.bin", CifarLabels::fine), Catch::Contains("below 100, got 100"));
  REQUIRE_THROWS_WITH(parse_cifar("\24\1" + std::string(3072, 'x'), "a.bin", CifarLabels::coarse), Catch::Contains("below 20, got 20"));
}

TEST_CASE("cifar: a pickle that is no CIFAR, or not quite") {
  const auto parse = [](const std::string& bytes, CifarLabels labels = CifarLabels::ten) { return parse_cifar(bytes, "batch", labels); };
  REQUIRE_THROWS_WITH(parse(fixture_file("cifar10_columns_first")), "cifar: batch: 'data' must be in C order");
  REQUIRE_THROWS_WITH(parse(fixture_file("cifar10_wide")), "cifar: batch: 'data' must be of dtype u1, got u2");
  REQUIRE_THROWS_WITH(parse(fixture_file("cifar100_python2")), Catch::Contains("expected a dict with 'labels' (CIFAR-100 has other keys)"));
  REQUIRE_THROWS_WITH(parse(fixture_file("cifar10_python2"), CifarLabels::fine), Catch::Contains("'fine_labels'"));
  REQUIRE_THROWS_WITH(parse("\x80\2K\1."), Catch::Contains("expected a dict with 'data'"));
  REQUIRE_THROWS_WITH(parse("\x80\2cos\nsystem\nU\2ls\x85R."), Catch::Contains("calls os.system, which is not allowed"));

  std::string file = fixture_file("cifar10_python2");
  const std::string labels("labels](K\3K\11e", 13);
  replace(file, labels, std::string("labels](K\3K\12e", 13));
  REQUIRE_THROWS_WITH(parse(file), Catch::Contains("record 1: expected a label below 10, got 10"));
  file = fixture_file("cifar10_python2");
  replace(file, "K\3K\11e", "K\3e");
  REQUIRE_THROWS_WITH(parse(file), Catch::Contains("a list of 2 labels, one for each image, got 1"));
  file = fixture_file("cifar10_python2");
  replace(file, "K\3K\11e", std::string("K\3Ne", 4));
  REQUIRE_THROWS_WITH(parse(file), Catch::Contains("record 1: its label is no integer"));
  const std::string shape("K\2M\0\xc\x86", 6);
  for (const std::string& other : {std::string("K\3M\0\xc\x86", 6), std::string("J\0\0\0\x7fM\0\xc\x86", 9), std::string("J\0\0\0\xffM\0\xc\x86", 9),
                                   std::string("K\2M\1\xc\x86", 6), std::string("K\2N\x86", 4), std::string("K\2\x85", 3), std::string("N", 1)}) {
    file = fixture_file("cifar10_python2");
    replace(file, shape, other);
    REQUIRE_THROWS_AS(parse(file), FormatError);
  }
}

TEST_CASE("cifar: one long text that is every key of a dict costs nothing") {
  std::string pickle("\x80\2}(c_codecs\nencode\nX\0\0\x20\0", 25);
  pickle += std::string(2 << 20, 'd') + std::string("U\6latin1\x86Rq\0K\1", 14);
  for (int i = 0; i < 10'000; ++i) pickle += std::string("h\0K\1", 4);
  const auto start = std::chrono::steady_clock::now();
  REQUIRE_THROWS_WITH(parse_cifar(pickle + "u.", "keys", CifarLabels::ten), Catch::Contains("expected a dict with 'data'"));
  REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));  // 20 GB of text otherwise
}

TEST_CASE("cifar: every cut of a pickle, and random damage") {
  for (const char* name : {"cifar10_python2", "cifar10_protocol2", "cifar10_protocol4"}) {
    const std::string whole = fixture_file(name);
    for (size_t n = 0; n < whole.size(); n += n < 300 ? 1 : 97)
      REQUIRE_THROWS_AS(parse_cifar(whole.substr(0, n), "cut", CifarLabels::ten), FormatError);
    RandomStream random(4);
    for (int round = 0; round < 1500; ++round) {
      std::string bytes = whole;
      for (int64_t flips = 1 + random.integer(4); flips > 0; --flips) {
        const auto ends = random.integer(400);  // its structure is at both ends
        bytes[static_cast<size_t>(ends < 300 ? ends : static_cast<int64_t>(bytes.size()) - 1 - (ends - 300))] = static_cast<char>(random.bits());
      }
      try {
        parse_cifar(bytes, "damaged", CifarLabels::ten);
      } catch (const FormatError&) {
      }
    }
  }
}

TEST_CASE("idx: sizes are compared with the file before memory is taken") {
  const auto parse = [](const std::string& bytes) { return parse_idx(bytes, "digits"); };
  REQUIRE_THROWS_WITH(parse(""), Catch::Contains("digits: is truncated: 0 bytes"));
  REQUIRE_THROWS_WITH(parse("PK\3\4"), Catch::Contains("is no IDX file: begins with 50 4b"));
  REQUIRE_THROWS_WITH(parse(std::string("\0\0\14\1\0\0\0\1\0\0\0\0", 12)), Catch::Contains("expected unsigned bytes (type 08), got type 0c"));
  REQUIRE_THROWS_WITH(parse(std::string("\0\0\10\0", 4)), Catch::Contains("1 to 4 dimensions, got 0"));
  REQUIRE_THROWS_WITH(parse(idx_header({1, 1, 1, 1, 1})), Catch::Contains("1 to 4 dimensions, got 5"));
  REQUIRE_THROWS_WITH(parse(idx_header({60'000, 28, 28}) + "abc"), Catch::Contains("[60000, 28, 28] should take 47040016 bytes, got 19"));
  REQUIRE_THROWS_WITH(parse(idx_header({0xFFFFFFFF, 0xFFFFFFFF, 28})), Catch::Contains("above the limit"));
  REQUIRE_THROWS_WITH(parse(idx_header({0x80000000, 2, 1, 0xFFFFFFFF})), Catch::Contains("above the limit"));
  REQUIRE_THROWS_WITH(parse(idx_header({2}) + "abc"), Catch::Contains("got more"));
  REQUIRE(parse(idx_header({0, 28, 28})).numel() == 0);
  const std::string whole = fixture_file("idx_images");
  for (size_t n = 0; n < whole.size(); ++n) REQUIRE_THROWS_AS(parse(whole.substr(0, n)), FormatError);
}

TEST_CASE("idx: gzip that is cut, damaged, or larger than it says") {
  const std::string whole = fixture_file("idx_images_gz");
  for (size_t n = 2; n < whole.size(); ++n) REQUIRE_THROWS_AS(parse_idx(whole.substr(0, n), "cut.gz"), FormatError);
  REQUIRE_THROWS_WITH(parse_idx(whole + "x", "more.gz"), Catch::Contains("more.gz: gzip: bytes follow its end"));
  std::string wrong = whole;
  wrong[wrong.size() - 6] = static_cast<char>(wrong[wrong.size() - 6] ^ 1);  // its checksum
  REQUIRE_THROWS_WITH(parse_idx(wrong, "sum.gz"), Catch::Contains("incorrect data check"));
  RandomStream random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole;
    for (int flips = 0; flips < 3; ++flips)
      bytes[static_cast<size_t>(2 + random.integer(static_cast<int64_t>(bytes.size()) - 2))] = static_cast<char>(random.bits());
    try {
      parse_idx(bytes, "damaged.gz");
    } catch (const FormatError&) {
    }
  }
  REQUIRE(gunzip(whole, "a", 7) == fixture_file("idx_images").substr(0, 7));
  REQUIRE(gunzip(whole, "a", 1 << 20) == fixture_file("idx_images"));
}

TEST_CASE("csv: RFC 4180, with the line of what breaks it") {
  using Rows = std::vector<std::vector<std::string>>;
  REQUIRE(rows("") == Rows{});
  REQUIRE(rows("a,b\nc,d") == Rows{{"a", "b"}, {"c", "d"}});
  REQUIRE(rows("\xEF\xBB\xBF"
               "a,b\r\n\r\nc,\r\n") == Rows{{"a", "b"}, {"c", ""}});
  REQUIRE(rows("\"a,\"\"x\"\"\r\nb\",c\n") == Rows{{"a,\"x\"\r\nb", "c"}});
  REQUIRE(rows(",\n\"\"\na\rb") == Rows{{"", ""}, {""}, {"a\rb"}});
  REQUIRE_THROWS_WITH(rows("a\n\"b\n\nc"), "csv: table.csv: line 2: a quote has no end");
  REQUIRE_THROWS_WITH(rows("a\nb\n\"c\"d"), "csv: table.csv: line 3: text follows a quoted field");
  REQUIRE_THROWS_WITH(rows("a\nb\"c\""), "csv: table.csv: line 2: a quote stands inside a field that is not quoted");
  REQUIRE_THROWS_WITH(rows(std::string(5000, ',')), "csv: table.csv: line 1: has more than 4096 fields");
  CsvReader csv("\n\"a\nb\"\n\nc", "table.csv");
  REQUIRE((csv.next() && csv.line() == 2 && csv.next() && csv.line() == 5 && !csv.next() && !csv.next()));
  REQUIRE_THROWS_AS(CsvReader("a", "b", '"'), FormatError);
}

TEST_CASE("csv dataset: errors name table and line") {
  const auto parse = [](const std::string& text, CsvDatasetOptions options = {}) {
    options.csv = "t.csv";
    return parse_labelled_csv(text, options);
  };
  REQUIRE_THROWS_WITH(parse("\n\n"), "csv: t.csv: is empty");
  REQUIRE_THROWS_WITH(parse("file,label\n"), "csv: t.csv: has a header and no rows");
  REQUIRE_THROWS_WITH(parse("name,kind\na.png,1"), "csv: t.csv: has no columns 'file' and 'label', but: name, kind");
  REQUIRE_THROWS_WITH(parse("a.png,1", {.label_column = "kind"}), Catch::Contains("has no columns 'file' and 'kind', but: a.png, 1"));
  REQUIRE_THROWS_WITH(parse("a.png,1\n\nb.png\n"), "csv: t.csv: line 3: expected 2 columns or more, got 1");
  REQUIRE_THROWS_WITH(parse("a.png,1\nb.txt,1"), Catch::Contains("line 2: expected an image file") && Catch::Contains("'b.txt'"));
  REQUIRE_THROWS_WITH(parse("a.png,1\nb.png,"), "csv: t.csv: line 2: b.png has no class");
  REQUIRE_THROWS_WITH(parse("a.png,1\nb.png,2000000"), "csv: t.csv: line 2: expected a class below 1048576, got 2000000");
  REQUIRE_THROWS_WITH(parse("a.png,cat\nb.png,emu", {.classes = {"cat", "dog"}}),
                      "csv: t.csv: line 2: expected one of 2 classes or its number, got 'emu'");
  REQUIRE_THROWS_AS(parse("a.png,2", {.classes = {"cat", "dog"}}), FormatError);
  REQUIRE_THROWS_AS(parse("a.png,0", {.classes = {"cat", "cat"}}), FormatError);
  REQUIRE(parse("a.png,-1\nb.png,1").classes == std::vector<std::string>{"-1", "1"});  // not both numbers: names
  RandomStream random(6);
  const std::string whole = "id,label,file\r\n1,dog,\"a, \"\"b\"\".png\"\r\n2,cat,c.png\r\n";
  for (int round = 0; round < 5000; ++round) {
    std::string text = whole;
    for (int64_t flips = 1 + random.integer(3); flips > 0; --flips)
      text[static_cast<size_t>(random.integer(static_cast<int64_t>(text.size())))] = "\",\r\n;a\0"[random.integer(7)];
    try {
      parse(text);
    } catch (const FormatError&) {
    }
  }
}

}  // namespace tapetum::data
