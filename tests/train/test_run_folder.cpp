#include <catch2/catch.hpp>

#include <csignal>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "tests/folder.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/signals.h"

namespace tapetum::train {

using test::content, test::Folder;

TEST_CASE("record: is valid JSON whatever it holds") {
  Record r;
  r.set("a", 1.5).set("n", int64_t{1} << 60).set("yes", true).set("text", "a \"quote\"\n\x01 \xc3\xbc \xff");
  r.set("nan", std::numeric_limits<double>::quiet_NaN()).set("small", 1e-7).set("list", std::vector<double>{1, 0.1, INFINITY});
  r.set("names", std::vector<std::string>{"x", "y"}).set("inner", Record().set("k", 1)).set("a", 2.0);
  REQUIRE(r.line() ==
          "{\"a\": 2, \"n\": 1152921504606846976, \"yes\": true, \"text\": \"a \\\"quote\\\"\\n\\u0001 \xc3\xbc \xef\xbf\xbd\", \"nan\": null, "
          "\"small\": 1e-07, \"list\": [1, 0.1, null], \"names\": [\"x\", \"y\"], \"inner\": {\"k\": 1}}");
  REQUIRE(Record().line() == "{}");
  REQUIRE(Record().set("a", 1).set("b", 2).lines() == "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
}

TEST_CASE("run_folder: makes the folder, logs lines, and cuts them for a resumed run") {
  Folder folder;
  RunFolder run("x", folder / "a/b");
  REQUIRE(run.path() == folder / "a/b");
  run.write("config.json", Record().set("seed", 0));
  REQUIRE(content(run.file("config.json")) == "{\n  \"seed\": 0\n}\n");
  run.log(Record().set("epoch", 1));
  const int64_t size = run.log_size();
  run.log(Record().set("epoch", 2));
  run.cut_log(size);
  run.cut_log(size + 1000);  // never grows
  run.log(Record().set("epoch", 3));
  REQUIRE(content(run.file("metrics.jsonl")) == "{\"epoch\": 1}\n{\"epoch\": 3}\n");
  REQUIRE_THROWS_WITH(RunFolder("x", folder / "a/b"), Catch::EndsWith("another process is writing into this folder"));
}

TEST_CASE("run_folder: what cannot be made is named") {
  Folder folder;
  std::ofstream(folder / "file") << "x";
  REQUIRE_THROWS_WITH(RunFolder("x", folder / "file/run"), Catch::Contains("file/run: the folder cannot be made: Not a directory"));
}

TEST_CASE("progress: durations, and plain lines where there is no terminal") {
  REQUIRE(format_duration(0.2) == "0s");
  REQUIRE(format_duration(185) == "3m05s");
  REQUIRE(format_duration(7 * 3600 + 120) == "7h02m");
  REQUIRE(format_duration(NAN) == "?");
  REQUIRE(format_duration(-1) == "?");
  Folder folder;
  std::FILE* out = std::fopen((folder / "out").c_str(), "w");
  {
    Progress progress(out);
    progress.update({1, 10, 3, 240, 0.5, 20, 12});  // too soon for a line
    progress.epoch({1, 10, 24, 240, 0.25, 20, 61}, "val 0.2  mIoU 0.901");
    Progress(out, true).message("quiet");
  }
  std::fclose(out);
  REQUIRE(content(folder / "out") == "epoch  1/10  step 24/240  loss 0.2500  val 0.2  mIoU 0.901  20.0 images/s  ETA 1m01s\n");
}

TEST_CASE("signals: the first interrupt is a request") {
  {
    InterruptGuard guard;
    REQUIRE_FALSE(interrupted());
    std::raise(SIGINT);
    REQUIRE(interrupted());
  }
  InterruptGuard again;
  REQUIRE_FALSE(interrupted());
}

}  // namespace tapetum::train
