#include <catch2/catch.hpp>

#include <cmath>

#include "core/error.h"
#include "tests/folder.h"
#include "train/run_folder.h"
#include "train/run_log.h"

namespace tapetum::train {
namespace {

using test::Folder;

RunLog run_of(const Folder& folder, const std::string& config, const std::string& metrics, const std::string& name = "a") {
  make_folder(folder / name);
  if (!config.empty()) std::ofstream(folder / (name + "/config.json"), std::ios::binary) << config;
  if (!metrics.empty()) std::ofstream(folder / (name + "/metrics.jsonl"), std::ios::binary) << metrics;
  return read_run(folder / name);
}

std::string line(int epoch, double miou, double seconds) {
  Record r;
  return r.set("epoch", epoch)
             .set("step", epoch * 10)
             .set("loss", 1.0 / epoch)
             .set("val_loss", 2.0 / epoch)
             .set("miou", miou)
             .set("seconds", seconds)
             .line() +
         '\n';
}

}  // namespace

TEST_CASE("record: what it wrote it reads, in order") {
  Record r, inner;
  inner.set("x", 1);
  r.set("z", 0.1).set("a", int64_t{INT64_MAX}).set("flag", true).set("text", "ü \"quoted\"\n").set("none", NAN);
  r.set("list", std::vector<double>{1, 2.5}).set("inner", inner).set("", "no name");
  const Record read = Record::parse(r.line(), "test");
  CHECK(read.names() == std::vector<std::string>{"z", "a", "flag", "text", "none", "list", "inner", ""});
  CHECK(read.number("z") == 0.1);
  CHECK(read.text("a") == "9223372036854775807");
  CHECK(read.text("flag") == "true");
  CHECK(read.text("text") == "ü \"quoted\"\n");
  CHECK_FALSE(read.number("none"));
  CHECK_FALSE(read.number("text"));
  CHECK_FALSE(read.number("absent"));
  CHECK(read.text("absent").empty());
  CHECK_FALSE(read.contains("absent"));
  CHECK(read.contains("none"));
  CHECK(Record::parse(read.line(), "test").line() == read.line());
  CHECK(Record::parse(r.lines(), "test").line() == read.line());
  CHECK(Record::parse("{}", "test").names().empty());
}

TEST_CASE("record: what is no object is named") {
  for (const char* json :
       {"", " ", "[1]", "3", "null", "{", "{\"a\": }", "{\"a\": 1} x", "{\"a\": nan}", "{\"a\": \"\xff\"}", "{\"a\": 1, \"b\": {\"c\": 2}"})
    CHECK_THROWS_AS(Record::parse(json, "test"), FormatError);
  CHECK_THROWS_WITH(Record::parse("[1]", "file"), "file: JSON: an object is expected, got array");
  CHECK_THROWS_WITH(Record::parse("{\"a\": 1, \"a\": 2}", "file"), "file: JSON: 'a' is given twice");
  CHECK_THROWS_WITH(Record::parse("{\"a\": ", "file"), Catch::StartsWith("file: JSON: parse error at line 1"));
  CHECK_THROWS_WITH(Record::parse("\xff{", "file"),
                    "file: JSON: parse error at line 1, column 1: syntax error while parsing value - invalid literal");
  CHECK(Record::parse("{\"a\": {\"x\": 1}, \"b\": {\"x\": 2}}", "file").text("b") == "{\"x\":2}");
  CHECK_THROWS_AS(Record::parse("{\"a\": " + std::string(1000000, '[') + std::string(1000000, ']') + '}', "deep"), FormatError);
}

TEST_CASE("run_log: a finished run, its best epoch and its seconds over several sessions") {
  Folder folder;
  const RunLog run = run_of(folder, "{\"epochs\": 3, \"lr\": 0.1}", line(1, 0.5, 10) + line(2, 0.7, 20) + line(3, 0.6, 4), "2026-11-24_12-58-49");
  CHECK(run.problems.empty());
  CHECK(run.state == RunState::finished);
  CHECK(run.epoch() == 3);
  CHECK(run.seconds == 24);
  CHECK(run.started == "2026-11-24 12:58:49");
  CHECK(run.metrics() == std::vector<std::string>{"loss", "val_loss", "miou"});
  CHECK(run.main_metric() == "miou");
  CHECK(best_of(run, "miou").epoch == 2);
  CHECK(best_of(run, "miou").value == 0.7);
  CHECK(best_of(run, "val_loss").epoch == 3);
  CHECK(best_of(run, "absent").epoch == 0);
  CHECK(run.values("loss") == std::vector<double>{1, 0.5, 1.0 / 3});
}

TEST_CASE("run_log: interrupted, stopped by patience, by a limit of steps, and running") {
  Folder folder;
  const std::string log = line(1, 0.5, 1) + line(2, 0.4, 2) + line(3, 0.4, 3);
  CHECK(run_of(folder, "{\"epochs\": 9}", log).state == RunState::interrupted);
  CHECK(run_of(folder, "{\"epochs\": 9, \"patience\": 2}", log).state == RunState::stopped_early);
  CHECK(run_of(folder, "{\"epochs\": 9, \"patience\": 3}", log).state == RunState::interrupted);
  CHECK(run_of(folder, "{\"epochs\": 9, \"patience\": 2, \"monitor\": \"val_loss\"}", log).state == RunState::interrupted);
  CHECK(run_of(folder, "{\"epochs\": 9, \"steps\": 30}", log).state == RunState::finished);
  CHECK(run_of(folder, "{\"epochs\": 9, \"steps\": 31}", log).state == RunState::interrupted);
  CHECK(run_of(folder, "{\"epochs\": 3}", "", "empty").state == RunState::interrupted);
  {
    const RunFolder owner("test", folder / "a");
    CHECK(read_run(folder / "a").state == RunState::running);
  }
  CHECK(read_run(folder / "a").state == RunState::interrupted);
}

TEST_CASE("run_log: what the run itself says about its end comes first") {
  Folder folder;
  const std::string log = line(1, 0.5, 1);
  const auto state = [&](const std::string& outcome) {
    make_folder(folder / "a");
    std::ofstream(folder / "a/outcome.json") << outcome;
    return run_of(folder, "{\"epochs\": 9}", log);
  };
  CHECK(state("{\"outcome\": \"finished\"}").state == RunState::finished);
  CHECK(state("{\"outcome\": \"stopped early\"}").state == RunState::stopped_early);
  CHECK(state("{\"outcome\": \"interrupted\"}").state == RunState::interrupted);
  CHECK(state("{\"outcome\": 3}").state == RunState::interrupted);
  CHECK(state("{").problems.size() == 1);
}

TEST_CASE("run_log: broken and partial files are named, and what can be read is kept") {
  Folder folder;
  const std::string a = folder / "a";
  const RunLog cut =
      run_of(folder, "{\"epochs\": 3", line(1, 0.5, 1) + "garbage\n" + "{\"epoch\": 0}\n" + "[1]\n" + line(2, NAN, 2) + "{\"epoch\": 3, \"lo");
  CHECK(cut.epochs.size() == 2);
  REQUIRE(cut.problems.size() == 5);
  CHECK_THAT(cut.problems[0], Catch::StartsWith(a + "/config.json: JSON: "));
  CHECK_THAT(cut.problems[1], Catch::StartsWith(a + "/metrics.jsonl: line 2: JSON: "));
  CHECK(cut.problems[2] == a + "/metrics.jsonl: line 3: an epoch from 1 is expected, got '0'");
  CHECK_THAT(cut.problems[3], Catch::Contains("line 4: JSON: an object is expected, got array"));
  CHECK(cut.problems[4] == a + "/metrics.jsonl: line 6: is cut off");
  CHECK(best_of(cut, "miou").epoch == 1);
  CHECK(std::isnan(cut.values("miou")[1]));
  const RunLog none = run_of(folder, "{}", "", "b");
  CHECK(none.problems == std::vector<std::string>{folder / "b/metrics.jsonl: is missing"});
  CHECK(none.main_metric().empty());
  CHECK(best_of(none, "").epoch == 0);
  const RunLog huge = run_of(folder, "{}", "{\"epoch\": 1e300}\n{\"epoch\": 2.5}\n{\"epoch\": \"x\"}\n{\"epoch\": null}\n", "c");
  CHECK(huge.problems.size() == 4);
  CHECK(huge.epoch() == 0);
}

TEST_CASE("run_log: what a run is judged by") {
  Folder folder;
  const auto metric = [&](const std::string& config, const std::string& log) { return run_of(folder, config, log).main_metric(); };
  CHECK(metric("{}", "{\"epoch\": 1, \"step\": 3, \"loss\": 1, \"val_loss\": 1, \"top1_error\": 3, \"accuracy\": 2, \"f1\": 1}\n") == "accuracy");
  CHECK(metric("{\"monitor\": \"f1\"}", "{\"epoch\": 1, \"accuracy\": 2, \"f1\": 1}\n") == "f1");
  CHECK(metric("{\"monitor\": \"typo\"}", "{\"epoch\": 1, \"loss\": 2, \"val_loss\": 1}\n") == "val_loss");
  CHECK(metric("{}", "{\"epoch\": 1, \"loss\": 2}\n") == "loss");
}

TEST_CASE("run_log: finds the runs of a folder, two levels deep") {
  Folder folder;
  run_of(folder, "{}", "", "p/b");
  run_of(folder, "", line(1, 1, 1), "p/a");
  run_of(folder, "{}", "", "q");
  run_of(folder, "{}", "", "p/b/too/deep");
  make_folder(folder / "p/no run");
  CHECK(run_folders(folder.path) == std::vector<std::string>{folder / "p/a", folder / "p/b", folder / "q"});
  CHECK(run_folders(folder / "q") == std::vector<std::string>{folder / "q"});
  CHECK(run_folders(folder / "p/no run").empty());
  CHECK_THROWS_WITH(run_folders(folder / "absent"), Catch::EndsWith("absent: is no folder"));
}

}  // namespace tapetum::train
