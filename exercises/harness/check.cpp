#include "exercises/harness/check.h"

#include <fmt/core.h>

#include "exercises/harness/limits.h"
#include "exercises/harness/words.h"
#include "kernels/cuda/emulation/config.h"

namespace tapetum::exercises {
namespace {

namespace profile = ladders::profile;
using emulation::Schedule;
using ladders::Attempt, ladders::Fault, ladders::Ladder, ladders::Problem;

int64_t elements_of(const Sizes& shape) {
  int64_t n = 1;
  for (int d : shape) n *= d;
  return n;
}

Ladder problem_of(const Loaded& l) {
  const Exercise& e = l.exercise;
  Ladder problem{};
  problem.name = problem.task = "";
  problem.counted = e.counted;
  problem.tested = e.tested;
  problem.low = e.low;
  problem.high = e.high;
  problem.tolerance = e.tolerance;
  problem.inputs = [inputs = e.inputs](const Sizes& s) {
    std::vector<int64_t> elements;
    for (const Sizes& shape : inputs(s)) elements.push_back(elements_of(shape));
    return elements;
  };
  problem.outputs = [outputs = e.output](const Sizes& s) { return elements_of(outputs(s)); };
  if (e.scratch) problem.scratch = [scratch = e.scratch](const Sizes& s) { return elements_of(scratch(s)); };
  problem.reference = e.reference;
  return problem;
}

Attempt attempt_of(const Loaded& l) {
  return {l.file, [launch = l.exercise.launch](const Arrays& a) { return launch(a) == cudaSuccess; }};
}

const char* name_of(Schedule s) { return s == Schedule::forward ? "forward" : s == Schedule::reverse ? "reverse" : "random"; }

// One size: faults that any order of the threads shows, then the result in three orders.
Verdict check_size(const Ladder& ladder, const Attempt& attempt, const Sizes& sizes, const Sizes& shape) {
  Problem problem(ladder, sizes);
  for (Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
    emulation::config().schedule = schedule;
    emulation::clear_error();
    Fault fault;
    if (schedule == Schedule::forward) {
      const profile::Faults faults = profile::faults_of([&] { fault = problem.find_fault(attempt); });
      if (!faults.bad.empty()) return verdict_of(faults.bad[0]);
      if (fault.what == Fault::failed) return verdict_of_launch(fault.error);
      if (!faults.races.empty()) return verdict_of(faults.races[0]);
    } else {
      fault = problem.find_fault(attempt);
    }
    if (fault.what == Fault::nothing) continue;
    Verdict v = fault.what == Fault::failed ? verdict_of_launch(fault.error) : verdict_of(fault, shape);
    if (schedule != Schedule::forward) v.text += fmt::format("That is so when threads run in {} order; forward it is right.\n", name_of(schedule));
    return v;
  }
  return {};
}

std::string summary(const Exercise& e, const ladders::Counts& counts) {
  std::string text = fmt::format("The result is right at {} sizes, in three orders of the threads, without a race. At {}:\n", e.tested.size(),
                                 ladders::text_of(e.counted));
  for (const Limit& l : e.limits)
    text += fmt::format("  {:16} {:>10}, {} at most\n", name_of(l.count), text_of(value_of(l.count, counts)), text_of(l.most));
  return text;
}

}  // namespace

Verdict check(const Loaded& loaded) {
  emulation::config().quiet = true;
  emulation::config().guard_device_memory = true;
  const Ladder problem = problem_of(loaded);
  const Attempt attempt = attempt_of(loaded);
  for (const Sizes& sizes : problem.tested) {
    Verdict v = check_size(problem, attempt, sizes, loaded.exercise.output(sizes));
    if (v.what.empty()) continue;
    v.text = "At " + ladders::text_of(sizes) + ":\n" + v.text;
    return v;
  }
  emulation::config().schedule = Schedule::forward;
  const ladders::Counts counts = ladders::count(problem, attempt);
  for (const Limit& limit : loaded.exercise.limits)
    if (Verdict v = compare(limit, counts, loaded.exercise); !v.what.empty()) return v;
  return {"", summary(loaded.exercise, counts), {}};
}

}  // namespace tapetum::exercises
