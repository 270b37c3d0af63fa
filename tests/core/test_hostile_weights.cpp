// Files that were made to do harm: whatever the bytes say, tensors or a FormatError, within twice the file's memory, and nothing is executed.
#include <catch2/catch.hpp>

#include <cstdlib>

#include "core/error.h"
#include "core/random.h"
#include "core/serialization/crc.h"
#include "core/serialization/pickle.h"
#include "core/serialization/weights.h"
#include "core/serialization/zip.h"
#include "tests/core/peak.h"
#include "tests/fixtures.h"
#include "tests/folder.h"

namespace tapetum {
namespace {

using namespace std::string_literals;

const char* const kFiles[] = {"zip.pth", "legacy.pth", "protocol4.pth", "checkpoint.pth", "legacy_checkpoint.pth", "module.pt", "model.onnx"};

std::string fixture_bytes(const std::string& name) { return test::content(test::fixture("weights/" + name)); }

// Whether it gives tensors; anything but a FormatError, or too much memory, fails the test.
bool opens(const std::string& bytes, const std::string& key = "") {
  const test::PeakMemory memory;
  bool opened = true;
  try {
    parse_weights(bytes, "hostile", {.key = key});
  } catch (const FormatError& e) {
    opened = false;
    REQUIRE_THAT(e.what(), Catch::Contains("hostile"));
  }
  REQUIRE(memory.bytes() <= 2 * bytes.size() + (1 << 20) + (1 << 16));
  return opened;
}

// An archive around a pickle, with one storage "0" of eight bytes.
std::string archive(const test::Folder& folder, const std::string& pickle, const std::vector<std::pair<std::string, std::string>>& more = {}) {
  AtomicFile file(folder / "x");
  ZipWriter zip(file);
  const auto add = [&](const std::string& name, const std::string& content) { zip.add(name, content.data(), content.size()); };
  add("a/data.pkl", pickle);
  add("a/data/0", std::string(8, '\0'));
  for (const auto& [name, content] : more) add(name, content);
  add("a/version", "3\n");
  zip.finish();
  file.commit();
  return test::content(folder / "x");
}

std::string text(const std::string& s) { return "X"s + static_cast<char>(s.size()) + "\0\0\0"s + s; }

// {"w": a tensor of the storage, of these offset, sizes and strides, each one opcode}
std::string tensor_pickle(const std::string& elements, const std::string& offset, const std::string& sizes, const std::string& strides,
                          const std::string& type = "FloatStorage") {
  return "\x80\x02}" + text("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + type + "\n" + text("0") + text("cpu") +
         elements + "tQ" + offset + "(" + sizes + "t(" + strides + "t\x89}tRs.";
}

void refused(const std::string& bytes, const std::string& reason) {
  INFO(reason);
  REQUIRE_THROWS_WITH(parse_weights(bytes, "hostile"), Catch::Contains(reason));
  REQUIRE_FALSE(opens(bytes));
}

}  // namespace

TEST_CASE("hostile weights: a pickle cannot call anything") {
  const test::Folder folder;
  const std::string marker = folder / "executed";
  const std::string command = "touch " + marker;
  for (const std::string& call :
       {"cos\nsystem\n("s + text(command) + "tR", "cposix\nsystem\n("s + text(command) + "tR", "c__builtin__\neval\n("s + text("1") + "tR",
        "cbuiltins\nexec\n("s + text("1") + "tR", "csubprocess\nPopen\n("s + text(command) + "tR", "cbuiltins\ngetattr\n)R"s, "ctorch.hub\nload\n)R"s,
        "ctorch.serialization\nload\n("s + text(marker) + "tR"})
    refused(archive(folder, "\x80\x02}" + text("w") + call + "s."), "is not allowed: nothing is executed");
  refused(archive(folder, "\x80\x02}" + text("w") + text("os") + text("system") + "\x93" + text(command) + "\x85Rs."), "calls os.system");
  refused(archive(folder, "\x80\x02(" + text(command) + "ios\nsystem\n."), "opcode 0x69");     // INST
  refused(archive(folder, "\x80\x02(cos\nsystem\n" + text(command) + "o."), "opcode 0x6f");    // OBJ
  refused(archive(folder, "\x80\x02\x82\x01."), "opcode 0x82");                                // EXT1
  refused(archive(folder, "\x80\x02P0\n."), "opcode 0x50");                                    // PERSID
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02cos\nsystem\n(" + text(command) + "t\x81.")));  // NEWOBJ: an inert object, no tensors
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02}" + text("w") + "cos\nsystem\n)\x81}" + text("x") + text(command) + "sbs.")));  // and BUILD
  REQUIRE_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("hostile weights: a pickle that misuses the machine is refused") {
  const test::Folder folder;
  for (const std::string& pickle : {"."s,
                                    "0."s,
                                    "N0."s,
                                    "(."s,
                                    "NN."s,
                                    "t."s,
                                    "a."s,
                                    "Na."s,
                                    "NNa."s,
                                    "s."s,
                                    "}NNNu."s,
                                    "(Nu."s,
                                    "R."s,
                                    "NNR."s,
                                    "b."s,
                                    "NNb."s,
                                    "NQQ"s,
                                    "h\0."s,
                                    "j\xff\xff\xff\x7f."s,
                                    "Nr\xff\xff\xff\x7f."s,
                                    "\x93."s,
                                    "NN\x93."s,
                                    "1."s,
                                    "u."s,
                                    "e."s,
                                    "\x85."s,
                                    "\x86."s,
                                    "N\x87."s,
                                    "Ix\n."s,
                                    "F-\n."s,
                                    "(N1."s,
                                    "]]a(ae."s,
                                    "]N(ae."s,
                                    "\x80\x09N."s,
                                    "\x8b\xff\xff\xff\xffN."s,
                                    "X\xff\xff\xff\xffN."s,
                                    "\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s}) {
    INFO(pickle);
    REQUIRE_FALSE(opens(archive(folder, "\x80\x02" + pickle)));
  }
}

TEST_CASE("hostile weights: few bytes cannot ask for much memory or time") {
  const test::Folder folder;
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02" + std::string(4 << 20, 'N') + ".")));
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02" + std::string(4 << 20, '}') + ".")));
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02" + std::string(4 << 20, '(') + ".")));
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02" + std::string(100'000, ']') + std::string(99'999, 'a') + ".")));  // a list in a list in a list ...
  std::string bomb = "\x80\x02]N\x85";  // each tuple holds the one before twice: 2^60 leaves
  for (int i = 0; i < 60; ++i) bomb += "2\x86";
  REQUIRE_FALSE(opens(archive(folder, bomb + "a.")));
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02]q\0h\0a."s)));  // holds itself
  REQUIRE_FALSE(opens(archive(folder, "\x80\x02}q\0" + text("x") + "h\0sh\0" + text("y") + "h\0s0."s)));
  std::string many = tensor_pickle("K\x02", "K\0"s, "K\x02", "K\x01");  // one tensor under very many names
  std::string repeated = many.substr(0, many.size() - 2) + "q\0" + "s";
  for (int i = 0; i < 20'000; ++i) repeated += "X\5\0\0\0"s + std::to_string(10'000 + i) + "h\0s"s;
  REQUIRE_FALSE(opens(archive(folder, repeated + ".")));
}

TEST_CASE("hostile weights: tensors that do not fit their storage are refused by name") {
  const test::Folder folder;
  const auto bad = [&](const std::string& pickle, const std::string& reason) { refused(archive(folder, pickle), reason); };
  const std::string zero = "K\0"s, one = "K\1"s, two = "K\2"s, three = "K\3"s, huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s,
                    minus = "J\xff\xff\xff\xff"s;
  REQUIRE(opens(archive(folder, tensor_pickle(two, zero, two, one))));
  bad(tensor_pickle(three, zero, two, one), "storage '0' has 8 bytes, expected 12");
  bad(tensor_pickle(huge, zero, two, one), "impossible number of elements");
  bad(tensor_pickle("J\0\0\0\x40"s, zero, two, one), "more than the file has");
  bad(tensor_pickle(minus, zero, two, one), "impossible number of elements");
  bad(tensor_pickle(two, one, two, one), "tensor 'w' of shape [2] lies outside its storage of 2 elements");
  bad(tensor_pickle(two, zero, three, one), "outside its storage");
  bad(tensor_pickle(two, zero, three, zero), "repeats elements");
  bad(tensor_pickle(two, zero, huge + huge, one + one), "overflows");
  bad(tensor_pickle(two, zero, two, huge), "outside its storage");
  bad(tensor_pickle(two, zero, two + two, huge + huge), "overflows");
  bad(tensor_pickle(two, huge, two, one), "overflows");
  bad(tensor_pickle(two, three, zero, one), "outside its storage");
  bad(tensor_pickle(two, minus, two, one), "no whole number");
  bad(tensor_pickle(two, zero, minus, one), "no whole number");
  bad(tensor_pickle(two, zero, two, one + one), "has 1 sizes but 2 strides");
  bad(tensor_pickle(two, zero, one + one + one + one + one + one + one + one + one, zero), "at most 8 dimensions");
  bad(tensor_pickle(two, zero, two, one, "ComplexFloatStorage"), "torch.ComplexFloatStorage");
  bad(tensor_pickle(two, zero, text("2"), one), "no whole number");
}

// Zip files whose parts disagree.
TEST_CASE("hostile weights: an archive out of the ordinary is refused") {
  const test::Folder folder;
  const std::string pickle = tensor_pickle("K\2", "K\0"s, "K\2", "K\1"), good = archive(folder, pickle);
  REQUIRE(opens(good));
  refused(good + "x", "no directory at the end");
  refused("x" + good, "neither");
  refused(archive(folder, pickle, {{"a/data/0", "other"}}), "two members are called 'a/data/0'");
  refused(archive(folder, pickle, {{"a/byteorder", "big"}}), "big-endian");
  refused(archive(folder, pickle, {{"a/constants.pkl", "x"}}), "TorchScript");
  const auto changed = [&](size_t at, const std::string& bytes) {
    std::string s = good;
    return s.replace(at, bytes.size(), bytes);
  };
  const size_t central = good.find("PK\1\2"), storage = good.find("a/data/0");
  refused(changed(good.find("K\2tQ") + 1, "\3"), "damaged: its CRC differs");
  refused(changed(central + 10, "\x08"), "compressed (method 8)");  // as a bomb would be
  refused(changed(central + 8, "\1"), "encrypted");
  refused(changed(central + 24, "\xff\xff\xff\x7f"), "");  // a gigantic size
  refused(changed(storage, "a/data/1"), "the local header of 'a/data/0' differs");
  refused(changed(storage - 30 + 18, "\x09"), "differs from the directory");  // another size in the local header
  refused(changed(good.size() - 22 + 8, "\x7f\1\x7f\1"), "the two ends of the directory differ");
  refused(changed(good.size() - 22 - 20 - 56 + 32, "\xff\xff\xff\xff\xff\xff\xff\x7f"), "");
  // Two entries of the directory for the same bytes.
  const size_t second = good.find("PK\1\2", central + 4);
  refused(changed(second + 42, good.substr(central + 42, 4)), "begins at byte 0");
}

TEST_CASE("hostile weights: truncated anywhere, and with any byte damaged") {
  for (const char* name : kFiles) {
    INFO(name);
    const std::string whole = fixture_bytes(name);
    REQUIRE(opens(whole));
    const bool checked = std::string(name).find("legacy") == std::string::npos && std::string(name) != "model.onnx";  // by CRCs
    for (size_t n = 0; n < whole.size(); ++n) {
      INFO(n);
      const bool opened = opens(whole.substr(0, n));
      if (checked) REQUIRE_FALSE(opened);
    }
    RandomStream stream(7);
    for (size_t i = 0; i < whole.size(); i += 3) {
      INFO(i);
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 1 << stream.integer(8));
      opens(damaged);
    }
  }
}

TEST_CASE("hostile weights: random bytes behind each format's beginning") {
  RandomStream stream(3);
  for (const std::string& start : {"PK\3\4"s, "\x80\x02\x8a\nl\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s, "\x08\x07"s, "\x10\0\0\0\0\0\0\0{"s})
    for (int i = 0; i < 2000; ++i) {
      std::string bytes = start;
      for (int64_t n = stream.integer(200); n > 0; --n) bytes += static_cast<char>(stream.bits());
      opens(bytes);
    }
}

TEST_CASE("crc: the check values of the catalogue") {
  const std::string digits = "123456789";
  REQUIRE(crc32(digits.data(), digits.size()) == 0xCBF43926);
  REQUIRE(crc32c(digits.data(), digits.size()) == 0xE3069283);
  std::string long_text(1000, 'x');
  for (size_t cut : {0u, 1u, 7u, 8u, 9u, 999u})
    REQUIRE(crc32(long_text.data() + cut, 1000 - cut, crc32(long_text.data(), cut)) == crc32(long_text.data(), 1000));
}

}  // namespace tapetum
