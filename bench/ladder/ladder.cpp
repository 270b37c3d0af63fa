// Shows the ladders, from ten lines to the production kernel: ./run ladder --help
#include <fmt/format.h>

#include <cstdio>

#include "bench/ladder/drawing.h"
#include "bench/ladder/text.h"
#include "examples/common/command_line.h"

namespace {

using namespace tapetum;

struct Options {
  std::vector<std::string> words;
  int64_t step = 0;
  bool show = false, draw = false, list = false, json = false, races = false;
};

bool parse(Options& o, int argc, char** argv) {
  programs::CommandLine line(
      "ladder",
      "The steps of LADDER, one idea each, from the plainest kernel to the library's, with what the emulator counts of them, or their "
      "times: CUDA's in a tree of the preset cuda, the CPU's in one of the preset release. docs/ladders has the stories.");
  line.add_positional("words", o.words, "LADDER, such as transpose");
  line.add("--list", o.list, "Names the ladders");
  line.add("--step", o.step, "This step alone (0: all)");
  line.add("--show", o.show, "The source of --step, with what is counted beside each line, and what changed against the step before");
  line.add("--draw", o.draw, "What one block of --step does to memory, as a picture (SVG): ./run ladder transpose --step 3 --draw > tile.svg");
  line.add("--json", o.json, "The table for other programs");
  line.add("--races", o.races, "Looks for races and for accesses that are misaligned or outside of memory, at several sizes; instead of the table");
  if (!line.parse(argc, argv)) return false;
  if (o.words.size() > 1) throw programs::UsageError("one LADDER is taken");
  if (o.words.empty() && !o.list) throw programs::UsageError("a LADDER is needed; --list names them");
  if ((o.show || o.draw) && !o.step) throw programs::UsageError("--show and --draw need --step N");
  if (o.show + o.draw + o.json + o.races > 1) throw programs::UsageError("one of --show, --draw, --races and --json");
  return true;
}

std::string names() {
  std::vector<std::string> all;
  for (const auto* ladder : ladders::all_ladders()) all.push_back(ladder->name);
  return fmt::format("{}", fmt::join(all, ", "));
}

const char* preset_of(const ladders::Ladder& ladder) { return ladder.device == DeviceKind::cpu ? "release" : "gpu-profile"; }

int list() {
  for (const auto* ladder : ladders::all_ladders()) {
    const size_t steps = steps_of(*ladder).size();
    fmt::print("{:12} {}  {}\n", ladder->name, steps ? fmt::format("{} steps", steps) : preset_of(*ladder), ladder->task);
  }
  return 0;
}

// The exit code.
int show_faults(const ladders::Ladder& ladder, const std::vector<const ladders::Step*>& steps, int64_t only) {
  bool any = false;
  for (const auto* step : steps) {
    if (only && step->number != only) continue;
    const std::string faults = bench::faults(ladder, *step);
    any = any || !faults.empty();
    fmt::print("{} {}: {}\n{}", step->number, step->name, faults.empty() ? "no race" : "faults", faults);
  }
  return any;
}

int body(int argc, char** argv) {
  Options o;
  if (!parse(o, argc, argv)) return 0;
  if (o.list) return list();
  const auto* ladder = ladders::find_ladder(o.words[0]);
  if (!ladder) throw programs::UsageError(fmt::format("no ladder '{}'; there are: {}", o.words[0], names()));
  const auto steps = ladders::steps_of(*ladder);
  if (steps.empty())
    throw programs::UsageError(fmt::format("{} has no steps in this tree, but in one of the preset {}", ladder->name, preset_of(*ladder)));
  if (o.step < 0 || o.step > static_cast<int64_t>(steps.size()))
    throw programs::UsageError(fmt::format("{} has steps 1 to {}, not {}", ladder->name, steps.size(), o.step));
  if (o.draw) {
    fmt::print("{}", bench::drawing(*ladder, *steps[static_cast<size_t>(o.step - 1)]));
    return 0;
  }
  if (o.races) return show_faults(*ladder, steps, o.step);
  std::vector<const ladders::Step*> asked;
  for (const auto* step : steps)
    if (!o.step || step->number == o.step) asked.push_back(step);
  const bool needless = o.show && !*bench::note_titles();  // times do not stand beside lines
  const auto measured = needless ? std::vector<bench::Measured>(asked.size()) : bench::measure(*ladder, asked);
  std::vector<bench::Row> rows;
  for (size_t i = 0; i < asked.size(); ++i) rows.push_back({asked[i], measured[i]});
  if (o.show) {
    fmt::print("{}", bench::annotated(rows[0], o.step > 1 ? steps[static_cast<size_t>(o.step - 2)] : nullptr));
  } else {
    fmt::print("{}", o.json ? bench::json(*ladder, rows) : bench::table(*ladder, rows));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return programs::run("ladder", argc, argv, body); }
