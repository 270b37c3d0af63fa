// Named values in order, written and read as JSON: a line of metrics, a run's configuration, a program's result.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tapetum::train {

class Record {
 public:
  Record& set(const std::string& name, double value);  // NaN and infinities become null
  Record& set(const std::string& name, int64_t value);
  Record& set(const std::string& name, int value) { return set(name, static_cast<int64_t>(value)); }
  Record& set(const std::string& name, bool value);
  Record& set(const std::string& name, const std::string& value);  // bytes that are not UTF-8 become U+FFFD
  Record& set(const std::string& name, const char* value) { return set(name, std::string(value)); }
  Record& set(const std::string& name, const std::vector<double>& values);
  Record& set(const std::string& name, const std::vector<int64_t>& values);
  Record& set(const std::string& name, const std::vector<std::string>& values);
  Record& set(const std::string& name, const std::vector<Record>& values);
  Record& set(const std::string& name, const Record& value);

  // An object; its values keep their order. Throws FormatError, whose text begins with `name`, for anything else, and for a name given twice.
  static Record parse(std::string_view json, const std::string& name);
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return find(name) != nullptr; }
  std::optional<double> number(const std::string& name) const;  // none where it is absent, or no number
  std::string text(const std::string& name) const;              // a text itself, any other value as JSON; empty where it is absent

  std::string line() const;   // one line
  std::string lines() const;  // a line for each value, and a last newline: for people

 private:
  const std::string* find(const std::string& name) const;    // its value; null when absent
  std::vector<std::pair<std::string, std::string>> fields_;  // names and values, both as JSON text
};

}  // namespace tapetum::train
