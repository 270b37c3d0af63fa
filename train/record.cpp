#include "train/record.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tapetum::train {
namespace {

std::string text_of(double v) { return std::isfinite(v) ? fmt::format("{}", v) : "null"; }
std::string text_of(int64_t v) { return std::to_string(v); }
std::string text_of(const std::string& v) { return nlohmann::json(v).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }
std::string text_of(const Record& v) { return v.line(); }

template <class T> std::string list_of(const std::vector<T>& values) {
  std::string text;
  for (const T& v : values) text += (text.empty() ? "" : ", ") + text_of(v);
  return '[' + text + ']';
}

using Fields = std::vector<std::pair<std::string, std::string>>;

void put(Fields& fields, const std::string& name, std::string value) {
  const std::string key = text_of(name);
  for (auto& [k, v] : fields)
    if (k == key) {
      v = std::move(value);
      return;
    }
  fields.emplace_back(key, std::move(value));
}

std::string join(const Fields& fields, const char* separator) {
  std::string text;
  for (const auto& [key, value] : fields) text += (text.empty() ? "" : separator) + key + ": " + value;
  return text;
}

}  // namespace

#define TAPETUM_RECORD_SET(Type, to_text)                    \
  Record& Record::set(const std::string& name, Type value) { \
    put(fields_, name, to_text(value));                      \
    return *this;                                            \
  }
TAPETUM_RECORD_SET(double, text_of)
TAPETUM_RECORD_SET(int64_t, text_of)
TAPETUM_RECORD_SET(const std::string&, text_of)
TAPETUM_RECORD_SET(const Record&, text_of)
TAPETUM_RECORD_SET(const std::vector<double>&, list_of)
TAPETUM_RECORD_SET(const std::vector<int64_t>&, list_of)
TAPETUM_RECORD_SET(const std::vector<std::string>&, list_of)
TAPETUM_RECORD_SET(const std::vector<Record>&, list_of)
#undef TAPETUM_RECORD_SET

Record& Record::set(const std::string& name, bool value) {
  put(fields_, name, value ? "true" : "false");
  return *this;
}

std::string Record::line() const { return '{' + join(fields_, ", ") + '}'; }
std::string Record::lines() const { return "{\n  " + join(fields_, ",\n  ") + "\n}\n"; }

}  // namespace tapetum::train
