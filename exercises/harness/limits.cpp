#include "exercises/harness/limits.h"

#include <fmt/core.h>

#include <algorithm>

#include "ladders/problem.h"

namespace tapetum::exercises {
namespace {

using ladders::Counts;
using ladders::profile::Kind;
using ladders::profile::Line;

constexpr double kSector = 32;

double real(uint64_t n) { return static_cast<double>(n); }
double ratio(uint64_t a, uint64_t b) { return b ? real(a) / real(b) : 0; }

bool loads(Kind k) { return k == Kind::global_load || k == Kind::cp_async; }
bool stores(Kind k) { return k == Kind::global_store || k == Kind::global_atomic; }

// How a limit is counted: what a line adds to it, what the line does, and what that means.
struct Rule {
  const char* name;
  double (*of_line)(const Line&);
  std::string (*of_worst)(const Line&);
  const char* advice;
};

std::string sectors(const Line& l) {
  if (4 * l.sectors <= 5 * l.ideal_sectors)
    return "each request by itself is well formed; this line, or another, moves something again that has moved before";
  return fmt::format("a request of a warp touches {:.1f} sectors of 32 bytes where its bytes would fit in {:.1f}", ratio(l.sectors, l.requests),
                     ratio(l.ideal_sectors, l.requests));
}
std::string requests(const Line& l) { return fmt::format("{} requests of {:.1f} lanes on average", l.requests, ratio(l.lanes, l.requests)); }

const Rule& rule_of(Count count) {
  static const Rule rules[] = {
      {"bank conflicts", [](const Line& l) { return real(l.wavefronts - l.ideal_wavefronts); },
       [](const Line& l) { return fmt::format("{:.3g}-way: lanes of a warp meet in a bank", ratio(l.wavefronts, l.ideal_wavefronts)); },
       "A float lies in bank (index % 32). Lanes whose floats lie in one bank, at different addresses, go one after the other."},
      {"bytes loaded", [](const Line& l) { return loads(l.kind) ? kSector * real(l.sectors) : 0; }, sectors,
       "Global memory moves in sectors of 32 bytes. Neighbouring lanes should read neighbouring floats, and nothing should be read twice."},
      {"bytes stored", [](const Line& l) { return stores(l.kind) ? kSector * real(l.sectors) : 0; }, sectors,
       "Global memory moves in sectors of 32 bytes. Neighbouring lanes should write neighbouring floats, and nothing should be written twice."},
      {"global requests", [](const Line& l) { return is_global(l.kind) ? real(l.requests) : 0; }, requests,
       "A request is an instruction of a warp. Full warps need fewer, and so do wider accesses (float4); what shared memory holds needs none."},
      {"shared requests", [](const Line& l) { return is_shared(l.kind) ? real(l.requests) : 0; }, requests,
       "What a thread needs again can stay in its registers; what the lanes of a warp need of each other can go by shuffles."},
      {"barriers", [](const Line& l) { return l.kind == Kind::barrier ? real(l.requests) : 0; }, requests,
       "Each warp that comes to a __syncthreads() counts. Threads that do not meet in memory need none."},
      {"shuffles", [](const Line& l) { return l.kind == Kind::shuffle ? real(l.requests) : 0; }, requests,
       "A tree over the 32 lanes of a warp takes five steps."},
      {"atomics in turn", [](const Line& l) { return real(l.serial); },
       [](const Line& l) { return fmt::format("{:.1f} lanes of a warp wait for one address", ratio(l.serial, l.requests)); },
       "Atomics on one address go one after the other: combine values first, and add the result."},
      {"idle lanes", [](const Line& l) { return real(32 * l.requests - l.lanes); }, requests,
       "Lanes of a warp that take different branches go one after the other. Let whole warps work, or rest."},
  };
  return rules[static_cast<int>(count)];
}

bool in_the_gap(Line line) {
  for (; line.line > 0; --line.line) {
    const std::string text = source_of(line);
    if (text.find("// Your code ends here.") != text.npos) return false;
    if (text.find("// Your code begins here.") != text.npos) return true;
  }
  return false;
}

std::vector<Line> lines_of(const Counts& counts) {
  std::vector<Line> all;
  for (const auto& kernel : counts.kernels) all.insert(all.end(), kernel.lines.begin(), kernel.lines.end());
  return all;
}

// Those that add to the count: of the gap, as what the exercise brings is within its limits. All of them where the sources are not at hand.
std::vector<Line> lines_to_blame(const Counts& counts, const Rule& rule) {
  std::vector<Line> all = lines_of(counts), own = all;
  std::erase_if(own, [&](const Line& l) { return rule.of_line(l) == 0 || !in_the_gap(l); });
  return own.empty() ? all : own;
}

}  // namespace

std::string text_of(double count) { return fmt::format("{:.{}f}", count, count == std::floor(count) ? 0 : 1); }

const char* name_of(Count count) { return rule_of(count).name; }

double value_of(Count count, const Counts& counts) {
  if (count == Count::idle_lanes) return 32 - counts.active_lanes();
  double sum = 0;
  for (const Line& l : lines_of(counts)) sum += rule_of(count).of_line(l);
  return sum;
}

Verdict compare(const Limit& limit, const Counts& counts, const Exercise& exercise) {
  const double value = value_of(limit.count, counts);
  if (value <= limit.most) return {};
  const Rule& rule = rule_of(limit.count);
  const std::vector<Line> lines = lines_to_blame(counts, rule);
  const Line& worst =
      *std::max_element(lines.rbegin(), lines.rend(), [&](const Line& a, const Line& b) { return rule.of_line(a) < rule.of_line(b); });
  Verdict v{.what = rule.name, .text = {}, .places = {{worst.file, worst.line}}};
  const std::string what = worst.size ? fmt::format("{} of {} bytes", name_of(worst.kind), worst.size) : name_of(worst.kind);
  v.text =
      fmt::format("The result is right. At {} {} {} are counted, and {} are enough. Of those of your code most come from\n  {}:{}  {}\n{}: {}.\n{}\n",
                  ladders::text_of(exercise.counted), text_of(value), rule.name, text_of(limit.most), worst.file, worst.line, source_of(worst), what,
                  rule.of_worst(worst), rule.advice);
  return v;
}

}  // namespace tapetum::exercises
