#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/profiler.h"
#include "kernels/parallel.h"
#include "kernels/roofline.h"

namespace tapetum::profiler {
namespace {

constexpr double kNano = 1e-9;
constexpr size_t kNameWidth = 48;

std::string text_of(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& s : shapes) text += (text.empty() ? "" : " ") + to_string(s);
  return text;
}

// An op's kernels are its own time.
bool is_part_of_its_op(const Event& e, const std::vector<Event>& events) {
  if (e.kind != Kind::kernel || e.parent < 0) return false;
  return events[static_cast<size_t>(e.parent)].kernels > 0;
}

// Nanoseconds of each event without the rows inside it.
std::vector<int64_t> self_times(const std::vector<Event>& events) {
  std::vector<int64_t> self(events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& e = events[i];
    self[i] += e.duration;
    if (e.parent >= 0 && !is_part_of_its_op(e, events)) self[static_cast<size_t>(e.parent)] -= e.duration;
  }
  return self;
}

double least_seconds(const Event& e, const kernels::Roofline& machine) {
  return e.device.kind == DeviceKind::cpu ? std::max(e.flops / machine.flops, e.bytes / machine.bytes) : 0;
}

class Grouping {
 public:
  Grouping(const std::vector<Event>& events, GroupBy by) : events_(events), by_(by), self_(self_times(events)), row_of_(events.size(), -1) {
    for (size_t i = 0; i < events.size(); ++i)
      if (by == GroupBy::kernel ? events[i].kind == Kind::kernel : !is_part_of_its_op(events[i], events)) add(i);
  }
  std::vector<Row> sorted() {
    for (Row& r : rows_)
      if (r.self > 0) r.roofline /= r.self;  // the sum of least times so far
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.self > b.self; });
    return std::move(rows_);
  }

 private:
  void add(size_t i) {
    const Event& e = events_[i];
    const std::string name = by_ == GroupBy::kernel ? e.name + ':' + e.candidate : e.name, shapes = by_ == GroupBy::shapes ? text_of(e.shapes) : "";
    const auto [at, fresh] = known_.try_emplace({e.kind, name, shapes}, rows_.size());
    if (fresh) rows_.push_back({.name = name, .shapes = shapes, .kind = e.kind});
    row_of_[i] = static_cast<int64_t>(at->second);
    Row& r = rows_[at->second];
    ++r.calls;
    if (!inside_its_like(i)) r.total += static_cast<double>(e.duration) * kNano;
    r.self += static_cast<double>(self_[i]) * kNano;
    r.flops += e.flops;
    r.bytes += e.bytes;
    r.roofline += least_seconds(e, machine_);
  }
  // Time that a recursion spends inside itself is there once.
  bool inside_its_like(size_t i) const {
    for (int64_t p = events_[i].parent; p >= 0; p = events_[static_cast<size_t>(p)].parent)
      if (row_of_[static_cast<size_t>(p)] == row_of_[i]) return true;
    return false;
  }

  const std::vector<Event>& events_;
  const GroupBy by_;
  const kernels::Roofline machine_ = kernels::roofline();
  const std::vector<int64_t> self_;
  std::vector<int64_t> row_of_;  // of each event; -1: none
  std::map<std::tuple<Kind, std::string, std::string>, size_t> known_;
  std::vector<Row> rows_;
};

// A rate in units of 1e9, or nothing where it is not known.
std::string rate(double amount, double seconds) { return amount > 0 && seconds > 0 ? fmt::format("{:.1f}", amount / seconds * 1e-9) : ""; }

std::string shortened(const std::string& name) {
  if (name.size() <= kNameWidth) return name;
  size_t end = kNameWidth - 3;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // not within a code point
  return fmt::format("{}...", std::string_view(name).substr(0, end));
}

}  // namespace

std::vector<Row> Profile::rows(GroupBy by) { return Grouping(events(), by).sorted(); }

std::string Profile::table(size_t most, GroupBy by) {
  const std::vector<Row> all = rows(by);
  double busy = 0;
  size_t width = 9;
  const size_t shown = most ? std::min(most, all.size()) : all.size();
  for (const Row& r : all) busy += r.self;
  for (size_t i = 0; i < shown; ++i) width = std::max(width, shortened(all[i].name).size());

  std::string text = fmt::format("{:<{}}  {:>7}  {:>9}  {:>9}  {:>6}  {:>8}  {:>7}  {:>8}{}\n", by == GroupBy::kernel ? "kernel" : "operation", width,
                                 "calls", "total ms", "self ms", "self %", "GFLOP/s", "GB/s", "roofline", by == GroupBy::shapes ? "  inputs" : "");
  for (size_t i = 0; i < shown; ++i) {
    const Row& r = all[i];
    text += fmt::format("{:<{}}  {:>7}  {:>9.2f}  {:>9.2f}  {:>6.1f}  {:>8}  {:>7}  {:>8}{}\n", shortened(r.name), width, r.calls, r.total * 1e3,
                        r.self * 1e3, busy > 0 ? 100 * r.self / busy : 0, rate(r.flops, r.self), rate(r.bytes, r.self),
                        r.roofline > 0 ? fmt::format("{:.0f} %", 100 * r.roofline) : "", r.shapes.empty() ? "" : "  " + r.shapes);
  }
  if (shown < all.size()) text += fmt::format("{} more rows\n", all.size() - shown);
  const kernels::Roofline machine = kernels::roofline();
  const int threads = kernels::thread_count();
  return text +
         fmt::format(
             "{:.1f} ms in all, {:.1f} ms in the rows of all threads; at most {:.0f} MB allocated; roofline: {:.0f} GFLOP/s, {:.1f} GB/s with {} "
             "thread{}\n",
             seconds() * 1e3, busy * 1e3, static_cast<double>(peak_memory()) / 1e6, machine.flops * 1e-9, machine.bytes * 1e-9, threads,
             threads == 1 ? "" : "s");
}

}  // namespace tapetum::profiler
