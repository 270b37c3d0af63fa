#include "data/transforms/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace tapetum::data {
namespace {

std::string printed(const Transform& transform, int indent);

// Collects "name=value" for each option.
class Printer final : public OptionVisitor {
 public:
  explicit Printer(int indent) : indent_(indent) {}
  std::vector<std::string> plain, nested;  // nested: transforms inside, one a line

 protected:
  void flag(const char* name, bool& v) override { plain.push_back(fmt::format("{}={}", name, v)); }
  void wholes(const char* name, int64_t* v, size_t count) override { add(name, v, count); }
  void numbers(const char* name, double* v, size_t count) override { add(name, v, count); }
  void list(const char* name, std::vector<double>& v) override {
    if (!v.empty()) plain.push_back(fmt::format("{}={}", name, listed(v.data(), v.size())));
  }
  void choice(const char* name, int64_t& index, const char* (*name_of)(int64_t)) override {
    plain.push_back(fmt::format("{}={}", name, name_of(index)));
  }
  void child(const char*, Transform& v) override { nested.push_back(printed(v, indent_ + 2)); }
  void children(const char*, std::vector<Transform>& v) override {
    for (const Transform& t : v) nested.push_back(printed(t, indent_ + 2));
  }

 private:
  template <class T> static std::string listed(const T* v, size_t count) {
    std::string text = "(";
    for (size_t i = 0; i < count; ++i) text += fmt::format("{}{}", i ? ", " : "", v[i]);
    return text + ")";
  }
  template <class T> void add(const char* name, const T* v, size_t count) {
    plain.push_back(count == 1 ? fmt::format("{}={}", name, *v) : fmt::format("{}={}", name, listed(v, count)));
  }
  int indent_;
};

std::string printed(const Transform& transform, int indent) {
  if (!transform.name()) return "(a callable)";
  Printer printer(indent);
  transform.visit(printer);
  if (printer.nested.empty()) return fmt::format("{}({})", transform.name(), fmt::join(printer.plain, ", "));
  Printer defaults(indent);
  transform.visit_defaults(defaults);
  std::vector<std::string> lines = printer.nested;
  for (const std::string& option : printer.plain)
    if (std::find(defaults.plain.begin(), defaults.plain.end(), option) == defaults.plain.end()) lines.push_back(option);
  const std::string line = "\n" + std::string(static_cast<size_t>(indent) + 2, ' ');
  return fmt::format("{}({}{}\n{})", transform.name(), line, fmt::join(lines, "," + line), std::string(static_cast<size_t>(indent), ' '));
}

template <class T> void check_bounds(const char* name, const char* option, T low, T high, T least, T most) {
  if (!(low >= least && low <= high && high <= most))
    throw Error(fmt::format("{}: expected {} within {} to {}, the lower end first, got ({}, {})", name, option, least, most, low, high));
}

}  // namespace

void check_probability(const char* name, double p) {
  if (!(p >= 0 && p <= 1)) throw Error(fmt::format("{}: expected a probability p of 0 to 1, got {}", name, p));
}
void check_range(const char* name, const char* option, Range range, double least, double most) {
  check_bounds(name, option, range.low, range.high, least, most);
}
void check_range(const char* name, const char* option, IntRange range, int64_t least, int64_t most) {
  check_bounds(name, option, range.low, range.high, least, most);
}

void OptionVisitor::operator()(const char* name, Fill& v) {
  int64_t values[4] = {v.values[0], v.values[1], v.values[2], v.values[3]};
  wholes(name, values, 4);
  for (size_t i = 0; i < 4; ++i) {
    if (values[i] < 0 || values[i] > 255) throw Error(fmt::format("{}: expected numbers of 0 to 255, got {}", name, values[i]));
    v.values[i] = static_cast<uint8_t>(values[i]);
  }
}

std::string to_string(const Transform& transform) { return transform ? printed(transform, 0) : "(empty)"; }

}  // namespace tapetum::data
