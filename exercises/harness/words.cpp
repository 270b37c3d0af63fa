#include "exercises/harness/words.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "kernels/cuda/emulation/config.h"

namespace tapetum::exercises {
namespace {

namespace profile = ladders::profile;

constexpr double kUnset = -1e30;  // a variable that nobody has set holds -1.7e38 (-ftrivial-auto-var-init=pattern), and what it went into less

// A NaN that arithmetic makes has but its first bit of the fraction; one that it was given, and passes on, has more.
bool is_of_memory(double nan) { return std::bit_cast<uint32_t>(static_cast<float>(nan)) & 0x3fffff; }

// "y[2][0]"
std::string element(const Sizes& shape, int64_t i) {
  std::string text;
  for (size_t d = shape.size(); d-- > 0; i /= shape[d]) text = fmt::format("[{}]", i % shape[d]) + text;
  return "y" + text;
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

struct Advice {
  std::string text;
  int line = 0;  // that it names, if it does
};

Advice advice(const profile::Race& r) {
  const auto &a = r.first, &b = r.second;
  if (writes(a.kind) && writes(b.kind)) return {"Two threads write the same place: either an index is wrong, or one of them should not write."};
  if (!same(a.block, b.block)) return {"Within a launch nothing orders two blocks but atomics: use one, or a second launch."};
  if (a.file == b.file && a.line == b.line && !is_atomic(a.kind) && !is_atomic(b.kind))
    return {
        "Reading, adding and writing are three things: another thread may come in between. An atomic does them in one, a barrier keeps threads "
        "apart."};
  const auto [above, below] = std::minmax(a.line, b.line);
  if (a.file == b.file && above < r.barrier.line && r.barrier.line < below)
    return {fmt::format("The barrier of line {} keeps them apart within a turn of a loop, but not one turn from the next: a second one is missing.",
                        r.barrier.line),
            r.barrier.line};
  if (const int line = std::max(line_between(a, b, "__syncthreads"), line_between(b, a, "__syncthreads")))
    return {fmt::format("Line {} has a barrier, but not both threads come to it: all threads of a block have to, whatever branches they take.", line),
            line};
  if (const int line = line_between(a, b, "__syncwarp"))
    return {fmt::format("Line {} has a __syncwarp(), but it orders only the lanes of one warp that its mask names.", line), line};
  return {
      "A barrier is missing between the two: __syncthreads() for the threads of a block, __syncwarp() for the lanes of a warp. Threads of a "
      "warp do not run in step, and shuffles do not order memory."};
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

}  // namespace

Verdict verdict_of(const profile::Race& r) {
  const char* memory = is_shared(r.first.kind) ? "shared" : "global";
  const Advice a = advice(r);
  Verdict v{"race",
            fmt::format("Two threads access the same bytes of {} memory, and nothing says who comes first{}:\n{}{}{}\n", memory,
                        r.times > 1 ? fmt::format(" ({} times)", r.times) : "", done_by(r.first), done_by(r.second), a.text),
            {{r.first.file, r.first.line}, {r.second.file, r.second.line}}};
  if (a.line) v.places.push_back({r.first.file, a.line});
  return v;
}

Verdict verdict_of(const profile::BadAccess& bad) {
  const bool outside = bad.why == profile::BadAccess::outside;
  const char* hint = outside ? "Is an index wrong, or a check missing for threads, rows or columns that are too many?"
                             : "float4 needs a multiple of 16 bytes, float2 of 8: where rows do not begin at one, their elements go one by one.";
  return {outside ? "outside" : "alignment",
          fmt::format("{}: {}\n{}{}\n", thread_of(bad.access), bad.what, shown({bad.access.file, bad.access.line}), hint),
          {{bad.access.file, bad.access.line}}};
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

Verdict verdict_of(const ladders::Fault& f, const Sizes& shape) {
  Verdict v{.what = "result", .text = {}, .places = {}};
  if (f.what == ladders::Fault::behind) {
    v.text = fmt::format("Something is written past the end of y, at y[{}]; y has {} elements.\n", f.at, f.all);
    return v;
  }
  const std::string is = f.what == ladders::Fault::unwritten ? "is not written" : std::isnan(f.got) ? "is NaN" : fmt::format("is {:.7g}", f.got);
  v.text = fmt::format("{} {}; it should be {:.7g}. {} of {} elements are wrong.\n", element(shape, static_cast<int64_t>(f.at)), is, f.expected,
                       f.elements, f.all);
  if (f.belongs_at >= 0) v.text += fmt::format("The value belongs at {}.\n", element(shape, f.belongs_at));
  if (f.what == ladders::Fault::wrong && f.got < kUnset) v.text += "A variable that nobody has set holds -1.7e38.\n";
  if (f.what == ladders::Fault::wrong && std::isnan(f.got))
    v.text += is_of_memory(f.got) ? "NaN is what memory holds that nobody has written: a value was read too early, or from the wrong place.\n"
                                  : "Arithmetic made it NaN: 0 / 0, or infinity less infinity or divided by it. Did an exp overflow?\n";
  return v;
}

}  // namespace tapetum::exercises
