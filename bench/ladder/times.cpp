#include <fmt/core.h>

#include "bench/ladder/drawing.h"
#include "bench/ladder/measure.h"
#include "core/error.h"
#include "ladders/problem.h"

namespace tapetum::bench {
namespace {

constexpr int kTimes = 21;

}  // namespace

Measured measure(const ladders::Ladder& ladder, const ladders::Step& step) {
  ladders::Problem problem(ladder, ladder.timed);
  if (const std::string fault = problem.check(step); !fault.empty()) throw Error(fault);
  const double ms = problem.milliseconds(step, kTimes), rate = static_cast<double>(problem.bytes()) / ms * 1e-6;
  return {
      {{"ms", "ms", ms, 3}, {"gb_per_s", "GB/s", rate, 1}, {"percent_of_copy", "% of a copy's", 100 * rate / ladders::copy_rate(problem.bytes()), 1}},
      {}};
}

std::string subject(const ladders::Ladder& ladder) { return fmt::format("f32, timed at {}: median of {}", ladders::text_of(ladder.timed), kTimes); }

std::string drawing(const ladders::Ladder&, const ladders::Step&) { throw Error("a GPU does not say what its lanes do: --draw is for the emulator"); }

std::string faults(const ladders::Ladder&, const ladders::Step&) {
  throw Error("ladder: --races needs the emulator: a tree of the preset gpu-profile, or compute-sanitizer --tool racecheck on a GPU");
}

const char* note_titles() { return ""; }

}  // namespace tapetum::bench
