#include "exercises/harness/check.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "exercises/harness/limits.h"
#include "kernels/cuda/emulation/config.h"
#include "kernels/cuda/emulation/profile/faults.h"
#include "ladders/problem.h"

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

// "y[2][0]"
std::string element(const Sizes& shape, int64_t i) {
  std::string text;
  for (size_t d = shape.size(); d-- > 0; i /= shape[d]) text = fmt::format("[{}]", i % shape[d]) + text;
  return "y" + text;
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

std::string source_at(const Place& p) {
  profile::Line line;
  line.file = p.file;
  line.line = p.line;
  return source_of(line);
}
std::string shown(const Place& p) { return fmt::format("  {}:{}  {}\n", p.file, p.line, source_at(p)); }

std::string thread_of(const profile::Access& a) {
  return fmt::format("thread ({},{},{}) of block ({},{},{})", a.thread.x, a.thread.y, a.thread.z, a.block.x, a.block.y, a.block.z);
}

bool writes(profile::Kind k) { return k == profile::Kind::global_store || k == profile::Kind::shared_store || k == profile::Kind::cp_async_shared; }

std::string done_by(const profile::Access& a) {
  const char* verb = is_atomic(a.kind) ? "adds" : writes(a.kind) ? "writes" : "reads";
  return fmt::format("{} {}\n", thread_of(a), verb) + shown({a.file, a.line});
}

bool same(const uint3& a, const uint3& b) { return a.x == b.x && a.y == b.y && a.z == b.z; }

// The first line between the two, in the order of the file, that has these words.
int line_between(const profile::Access& a, const profile::Access& b, const char* words) {
  for (int line = a.line + 1; a.file == b.file && line < b.line; ++line)
    if (source_at({a.file, line}).find(words) != std::string::npos) return line;
  return 0;
}

std::string advice(const profile::Race& r) {
  const auto &a = r.first, &b = r.second;
  if (writes(a.kind) && writes(b.kind)) return "Two threads write the same place: either an index is wrong, or one of them should not write.";
  if (!same(a.block, b.block)) return "Within a launch nothing orders two blocks but atomics: use one, or a second launch.";
  if (a.file == b.file && a.line == b.line && !is_atomic(a.kind) && !is_atomic(b.kind))
    return "Reading, adding and writing are three things: another thread may come in between. An atomic does them in one, a barrier keeps threads "
           "apart.";
  if (const int line = line_between(a, b, "__syncthreads"))
    return fmt::format("Line {} has a barrier, but not both threads come to it: all threads of a block have to, whatever branches they take.", line);
  if (const int line = line_between(b, a, "__syncthreads"))
    return fmt::format(
        "The barrier of line {} keeps them apart within a turn of a loop, but not one turn from the next: a second one is missing. Or do not all "
        "threads come to it?",
        line);
  if (const int line = line_between(a, b, "__syncwarp"))
    return fmt::format("Line {} has a __syncwarp(), but it orders only the lanes of one warp that its mask names.", line);
  return "A barrier is missing between the two: __syncthreads() for the threads of a block, __syncwarp() for the lanes of a warp. Threads of a "
         "warp do not run in step, and shuffles do not order memory.";
}

Verdict verdict_of(const profile::Race& r) {
  const char* memory = is_shared(r.first.kind) ? "shared" : "global";
  return {"race",
          fmt::format("Two threads access the same bytes of {} memory, and nothing says who comes first{}:\n{}{}{}\n", memory,
                      r.times > 1 ? fmt::format(" ({} times)", r.times) : "", done_by(r.first), done_by(r.second), advice(r)),
          {{r.first.file, r.first.line}, {r.second.file, r.second.line}}};
}

Verdict verdict_of(const profile::Outside& o) {
  return {"outside",
          fmt::format("{}: {}\n{}Is an index wrong, or a check missing for threads, rows or columns that are too many?\n", thread_of(o.access),
                      o.what, shown({o.access.file, o.access.line})),
          {{o.access.file, o.access.line}}};
}

// The emulator's words have places in them: "... (exercises/softmax/3_x.cu:20)".
std::vector<Place> places_in(const std::string& text) {
  std::vector<Place> places;
  for (size_t open = 0; (open = text.find('(', open)) != text.npos; ++open) {
    const size_t colon = text.find(".cu:", open), close = text.find(')', open);
    if (colon == text.npos || close == text.npos || colon > close) continue;
    places.push_back({from_the_root(text.substr(open + 1, colon + 3 - open - 1)), std::atoi(text.c_str() + colon + 4)});
  }
  return places;
}

Verdict verdict_of_launch(const std::string& error) {
  std::string said = emulation::last_diagnostic();
  for (size_t up; (up = said.find("(../")) != said.npos;) said.erase(up + 1, 3);
  Verdict v{.what = "launch", .text = said.empty() ? error + "\n" : said + "\n", .places = places_in(said)};
  for (const Place& p : v.places) v.text += shown(p);
  for (const char* word : {"deadlock", "livelock", "barrier", "__sync", "warp "}) {
    if (said.find(word) == said.npos) continue;
    v.what = "synchronisation";
    v.text += "All threads of a block have to come to the same __syncthreads(), and all lanes of a mask to the same warp operation.\n";
    break;
  }
  return v;
}

Verdict verdict_of(const Fault& f, const Sizes& shape) {
  Verdict v{.what = "result", .text = {}, .places = {}};
  if (f.what == Fault::behind) {
    v.text = fmt::format("Something is written past the end of y, at y[{}]; y has {} elements.\n", f.at, f.all);
    return v;
  }
  const std::string is = f.what == Fault::unwritten ? "is not written" : fmt::format("is {:.7g}", f.got);
  v.text = fmt::format("{} {}; it should be {:.7g}. {} of {} elements are wrong.\n", element(shape, static_cast<int64_t>(f.at)), is, f.expected,
                       f.elements, f.all);
  if (f.belongs_at >= 0) v.text += fmt::format("The value belongs at {}.\n", element(shape, f.belongs_at));
  if (f.what == Fault::wrong && std::isnan(f.got))
    v.text += "NaN is what memory holds that nobody has written: a value was read too early, or from the wrong place.\n";
  return v;
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
      if (!faults.outside.empty()) return verdict_of(faults.outside[0]);
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
