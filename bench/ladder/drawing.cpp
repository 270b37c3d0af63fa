#include "bench/ladder/drawing.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <map>

#include "bench/ladder/svg.h"
#include "kernels/cuda/emulation/profile/profile.h"
#include "ladders/problem.h"

namespace tapetum::bench {
namespace {

namespace profile = emulation::profile;
using profile::Request;

constexpr int kWidth = 860, kLeft = 16;
constexpr auto kInk = viz::Color::hex(0x1d2733), kQuiet = viz::Color::hex(0x6b7785), kLine = viz::Color::hex(0xaab4bf);
constexpr auto kEmpty = viz::Color::hex(0xf1f4f7), kWasted = viz::Color::hex(0xf6c9c4), kWhite = viz::Color::hex(0xffffff);
constexpr unsigned kLanes = 32;

// From blue over green to red, so that neighbouring lanes are alike.
const std::vector<viz::Color> kScale{viz::Color::hex(0x2c5fa8), viz::Color::hex(0x1f9d8b), viz::Color::hex(0xd9a520), viz::Color::hex(0xc4402f)};

viz::Color color_of_lane(int lane) {
  const double place = static_cast<double>(kScale.size() - 1) * lane / (kLanes - 1);
  const size_t below = std::min(static_cast<size_t>(place), kScale.size() - 2);
  return viz::mix(kScale[below], kScale[below + 1], place - static_cast<double>(below));
}

std::string many(size_t n, const std::string& one) { return fmt::format("{} {}{}", n, one, n == 1 ? "" : one.back() == 's' ? "es" : "s"); }

template <class F> void for_lanes(uint32_t lanes, F f) {
  for (; lanes; lanes &= lanes - 1) f(std::countr_zero(lanes));
}

class Page {
 public:
  explicit Page(const ladders::Step& step) : source_(ladders::source_of(step)) {
    svg_.words(kLeft, 26, 16, fmt::format("{}, step {}: {}", step.ladder, step.number, step.name), kInk);
    std::string idea = ladders::idea_of(step);
    if (const size_t space = idea.rfind(' ', kMostWords); idea.size() > kMostWords && space != idea.npos) {
      svg_.words(kLeft, 46, 11.5, idea.substr(0, space), kQuiet);
      idea.erase(0, space + 1);
      y_ = 15;
    }
    svg_.words(kLeft, y_ + 46, 11.5, idea, kQuiet);
    y_ += 56;
  }

  // A block's part of an array of rows, darker where it comes more often.
  void array(double x, const std::string& name, int64_t rows, int64_t columns, const std::map<int64_t, int>& times) {
    const double scale = std::min(kMap / static_cast<double>(std::max(rows, columns)), kMostScale), top = y_ + 34;
    const double width = std::max(scale * static_cast<double>(columns), 1.0), height = std::max(scale * static_cast<double>(rows), 1.0);
    int least = INT32_MAX, most = 0;
    for (const auto& [element, n] : times) least = std::min(least, n), most = std::max(most, n);
    svg_.words(x, y_ + 14, 12, fmt::format("{} {}x{}", name, rows, columns), kInk);
    const std::string often = least == most ? fmt::format("{}x", most) : fmt::format("{} to {}x", least, most);
    svg_.words(x, y_ + 28, 11, times.empty() ? "untouched" : fmt::format("{}, {}", many(times.size(), "element"), often), kQuiet);
    svg_.rect(x, top, width, height, kEmpty);
    for (auto run = times.begin(); run != times.end();) {  // neighbours in a row that come equally often are one rectangle
      auto end = std::next(run);
      int64_t length = 1;
      while (end != times.end() && end->first == run->first + length && end->first % columns && end->second == run->second) ++end, ++length;
      const double part = most == 1 ? 1 : std::log2(run->second) / std::log2(most);
      svg_.rect(x + scale * static_cast<double>(run->first % columns), top + scale * static_cast<double>(run->first / columns),
                std::max(scale * static_cast<double>(length), 0.6), std::max(scale, 0.6), viz::sequential_color(0.45 + 0.55 * part));
      run = end;
    }
    svg_.frame(x, top, width, height, kLine);
    below_ = std::max(below_, top + height);
  }
  void end_arrays() { y_ = below_; }

  void line(int number) {
    y_ += 34;
    svg_.source(kLeft, y_, 12, fmt::format("{:4}  {}", number, trimmed(source_[static_cast<size_t>(number - 1)])), kInk);
  }
  void access(const Request& r, size_t requests) {
    y_ += 18;
    const std::string often = requests == 1 ? "once in the block" : fmt::format("{} times in the block, of which one", requests);
    svg_.words(kLeft + 40, y_, 11.5, fmt::format("{} of {} a lane, {}:", name_of(r.kind), many(r.size, "byte"), often), kInk);
    y_ += 4;
  }

  // Lines of 128 bytes that the request touches, in sectors of 32: what no lane wants of a touched sector moves for nothing.
  void sectors(const Request& r) {
    std::map<uintptr_t, std::map<unsigned, int>> lines;  // the lane of each word
    for_lanes(r.lanes, [&](int lane) {
      for (uintptr_t at = r.address[static_cast<size_t>(lane)], end = at + r.size; at < end; at += 4 - at % 4)
        lines[at / kLineBytes].try_emplace(static_cast<unsigned>(at % kLineBytes / 4), lane);
    });
    size_t n = 0, moved = 0, drawn = 0;
    for (const auto& [line, words] : lines) {
      const bool shown = lines.size() <= kMostRows || n < kMostRows - 2 || n + 1 == lines.size();
      if (n + 2 == lines.size() && !shown) note(fmt::format("... {} lines more, alike", lines.size() - drawn - 1));
      for (unsigned sector = 0; sector < 4; ++sector) {
        const auto first = words.lower_bound(8 * sector);
        const bool touched = first != words.end() && first->first < 8 * (sector + 1);
        moved += touched;
        if (!shown) continue;
        for (unsigned w = 8 * sector; w < 8 * (sector + 1); ++w) {
          const auto found = words.find(w);
          cell(kLeft + 40 + w * kCell + sector * 6, found == words.end() ? -1 : found->second, touched ? kWasted : kEmpty);
        }
      }
      if (shown) ++drawn, y_ += kCell + 2;
      ++n;
    }
    const auto wanted = static_cast<size_t>(std::popcount(r.lanes)) * r.size;
    note(fmt::format("{} of 32 bytes, of which the warp asks for {}", many(moved, "sector"), many(wanted, "byte")));
  }

  // The 32 banks; each row is a pass over them.
  void banks(const Request& r) {
    const auto fronts = profile::wavefronts_of(r);
    for (size_t i = 0; i < fronts.size(); ++i) {
      const bool shown = fronts.size() <= kMostRows || i < kMostRows - 2 || i + 1 == fronts.size();
      if (!shown) {
        if (i + 2 == fronts.size()) note(fmt::format("... {} passes more, alike", fronts.size() - kMostRows + 1));
        continue;
      }
      for (unsigned bank = 0; bank < kLanes; ++bank) cell(kLeft + 40 + bank * kCell, fronts[i][bank], kEmpty);
      y_ += kCell + 2;
    }
    note(fmt::format("{} over the 32 banks", many(fronts.size(), "pass")));
  }

  // The requests of a line one after the other, with the lanes of the first warps side by side.
  void lanes(const std::vector<const Request*>& requests) {
    std::map<unsigned, std::vector<uint32_t>> of_warp;
    for (const Request* r : requests) of_warp[r->warp].push_back(r->lanes);
    size_t rounds = 0;
    for (const auto& [warp, masks] : of_warp) rounds = std::max(rounds, masks.size());
    for (size_t round = 0; round < std::min(rounds, kMostRows); ++round) {
      for (const auto& [warp, masks] : of_warp) {
        if (warp >= kMostWarps) break;
        const double x = kLeft + 40 + warp * (kLanes * kThin + 6);
        const uint32_t mask = round < masks.size() ? masks[round] : 0;
        if (mask == ~0u) {
          svg_.scale(x, y_ + 4, kLanes * kThin, 9);
          continue;
        }
        svg_.rect(x, y_ + 4, kLanes * kThin, 9, kEmpty);
        for_lanes(mask, [&](int lane) { svg_.rect(x + lane * kThin, y_ + 4, kThin - 0.5, 9, color_of_lane(lane)); });
      }
      y_ += 12;
    }
    note("the lanes that take part, of each warp, one request after the other");
  }

  std::string text() const { return svg_.text(); }

 private:
  static constexpr uintptr_t kLineBytes = 128;
  static constexpr double kMap = 170, kMostScale = 12, kCell = 17, kThin = 2.8;
  static constexpr size_t kMostRows = 8, kMostWords = 130;
  static constexpr unsigned kMostWarps = 8;

  static std::string trimmed(const std::string& s) {
    const size_t begin = s.find_first_not_of(' ');
    const std::string text = begin == s.npos ? "" : s.substr(begin);
    return text.size() <= 105 ? text : text.substr(0, 102) + "...";
  }
  void cell(double x, int lane, viz::Color empty) {
    svg_.rect(x, y_ + 4, kCell - 1, kCell - 1, lane < 0 ? empty : color_of_lane(lane));
    if (lane >= 0) svg_.words(x + (kCell - 1) / 2, y_ + 16, 9.5, std::to_string(lane), kWhite, Svg::Align::middle);
  }
  void note(const std::string& text) {
    svg_.words(kLeft + 40, y_ + 16, 11, text, kQuiet);
    y_ += 18;
  }

  Svg svg_{kWidth, kScale};
  std::vector<std::string> source_;
  double y_ = 0, below_ = 0;
};

// How often the block touches each element of an array.
std::map<int64_t, int> times_touched(const std::vector<Request>& requests, const float* array, int64_t elements) {
  const auto begin = reinterpret_cast<uintptr_t>(array), end = begin + static_cast<uintptr_t>(elements) * sizeof(float);
  std::map<int64_t, int> times;
  for (const Request& r : requests)
    for_lanes(r.lanes, [&](int lane) {
      const uintptr_t first = r.address[static_cast<size_t>(lane)];
      for (uintptr_t at = first; at < first + r.size; at += sizeof(float))
        if (at >= begin && at < end && is_global(r.kind)) ++times[static_cast<int64_t>((at - begin) / sizeof(float))];
    });
  return times;
}

void draw_arrays(Page& page, const ladders::Ladder& ladder, const ladders::Problem& problem, const std::vector<Request>& requests) {
  const auto& arrays = problem.arrays();
  const std::vector<int64_t> inputs = ladder.inputs(ladder.counted), columns = ladder.columns(ladder.counted);
  double x = kLeft;
  const auto next = [&](const std::string& name, const float* data, int64_t elements, int64_t width) {
    page.array(x, name, elements / width, width, times_touched(requests, data, elements));
    x += 205;
  };
  for (size_t i = 0; i < inputs.size(); ++i) next(inputs.size() == 1 ? "x" : fmt::format("x[{}]", i), arrays.x[i], inputs[i], columns[i]);
  next("y", arrays.y, ladder.outputs(ladder.counted), columns.back());
  page.end_arrays();
}

// Where shared memory lies in the emulator is not where a GPU has it: what the block uses of it begins at bank 0.
void begin_at_bank_0(std::vector<Request>& requests) {
  uintptr_t first = ~uintptr_t{0};
  for (const Request& r : requests)
    if (is_shared(r.kind)) for_lanes(r.lanes, [&](int lane) { first = std::min(first, r.address[static_cast<size_t>(lane)]); });
  for (Request& r : requests)
    if (is_shared(r.kind))
      for (uintptr_t& address : r.address) address -= first;
}

bool stores(profile::Kind k) {
  using enum profile::Kind;
  return k == global_store || k == global_atomic || k == shared_store || k == shared_atomic || k == cp_async_shared;
}

// The requests of a line, those of each kind by themselves: what it loads, then what it stores.
std::vector<std::vector<const Request*>> of_line(const std::vector<Request>& requests, const std::string& file, int line) {
  std::vector<std::vector<const Request*>> kinds;
  for (const Request& r : requests) {
    if (r.line != line || r.file != file) continue;
    auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k[0]->kind == r.kind && k[0]->size == r.size; });
    (kind == kinds.end() ? kinds.emplace_back() : *kind).push_back(&r);
  }
  std::stable_partition(kinds.begin(), kinds.end(), [](const auto& k) { return !stores(k[0]->kind); });
  return kinds;
}

void draw(Page& page, const std::vector<const Request*>& requests) {
  const auto by_lanes = [](const Request* a, const Request* b) { return std::popcount(a->lanes) < std::popcount(b->lanes); };
  const Request& fullest = **std::max_element(requests.begin(), requests.end(), by_lanes);
  page.access(fullest, requests.size());
  if (is_shared(fullest.kind))
    page.banks(fullest);
  else
    page.sectors(fullest);
  if (std::any_of(requests.begin(), requests.end(), [&](const Request* r) { return r->lanes != fullest.lanes; })) page.lanes(requests);
}

}  // namespace

std::string drawing(const ladders::Ladder& ladder, const ladders::Step& step) {
  ladders::Problem problem(ladder, ladder.counted);
  std::vector<Request> requests = profile::requests_of([&] { problem.run(step); });
  Page page(step);
  draw_arrays(page, ladder, problem, requests);
  begin_at_bank_0(requests);
  for (int line = 1; line <= static_cast<int>(ladders::source_of(step).size()); ++line) {
    const auto kinds = of_line(requests, step.file, line);
    if (!kinds.empty()) page.line(line);
    for (const auto& of_kind : kinds) draw(page, of_kind);
  }
  return page.text();
}

}  // namespace tapetum::bench
