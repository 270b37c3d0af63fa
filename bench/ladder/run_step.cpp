// Runs one step of a ladder once, emulated, for a debugger: ./run debug --help
#include <cstdio>
#include <cstdlib>

#include "examples/common/command_line.h"
#include "ladders/problem.h"

namespace {

using namespace tapetum;

int body(int argc, char** argv) {
  if (argc != 3) throw programs::UsageError("LADDER and N are needed");
  const auto* ladder = ladders::find_ladder(argv[1]);
  if (!ladder) throw programs::UsageError(std::string("no ladder '") + argv[1] + "'");
  for (const auto* step : steps_of(*ladder)) {
    if (step->number != std::atoi(argv[2])) continue;
    ladders::Problem problem(*ladder, ladder->counted);
    const std::string fault = problem.check(*step);
    std::puts(fault.empty() ? (step->file + " is right").c_str() : fault.c_str());
    return fault.empty() ? 0 : 1;
  }
  throw programs::UsageError(std::string(argv[1]) + " has no step " + argv[2]);
}

}  // namespace

int main(int argc, char** argv) { return programs::run("run_step", argc, argv, body); }
