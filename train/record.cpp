#include "train/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace tapetum::train {
namespace {

constexpr int kDeepest = 100;  // writing takes stack for each level

std::string text_of(double v) { return std::isfinite(v) ? fmt::format("{}", v) : "null"; }
std::string text_of(int64_t v) { return std::to_string(v); }
std::string text_of(const std::string& v) { return nlohmann::json(v).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }
std::string text_of(const Record& v) { return v.line(); }

template <class T> std::string list_of(const std::vector<T>& values) {
  std::string text;
  for (const T& v : values) text += (text.empty() ? "" : ", ") + text_of(v);
  return '[' + text + ']';
}

// What the library says, without its own name and number in front, and without the file's bytes, which may be anything, behind:
// "[json.exception.parse_error.101] parse error at line 1, column 2: ...; last read: '...'".
std::string reason_of(const nlohmann::json::exception& e) {
  const std::string text = e.what();
  const size_t name = text.find("] "), begin = name == std::string::npos ? 0 : name + 2;
  return text.substr(begin, text.find("; last read", begin) - begin);
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

Record Record::parse(std::string_view json, const std::string& name) {
  Record record;
  std::string twice;  // of equal names the library would keep the last, in silence
  const auto watch = [&, names = std::vector<std::string>()](int depth, nlohmann::json::parse_event_t event, nlohmann::ordered_json& value) mutable {
    if (depth > kDeepest) throw FormatError(fmt::format("{}: JSON: lists and objects may be {} deep", name, kDeepest));
    if (event != nlohmann::json::parse_event_t::key || depth != 1) return true;
    const auto key = value.get<std::string>();
    if (std::find(names.begin(), names.end(), key) != names.end()) twice = key;
    names.push_back(key);
    return true;
  };
  try {
    const auto object = nlohmann::ordered_json::parse(json, watch);
    if (!object.is_object()) throw FormatError(fmt::format("{}: JSON: an object is expected, got {}", name, object.type_name()));
    if (!twice.empty()) throw FormatError(fmt::format("{}: JSON: '{}' is given twice", name, twice));
    for (const auto& [key, value] : object.items()) record.fields_.emplace_back(text_of(key), value.dump());
  } catch (const nlohmann::json::exception& e) {
    throw FormatError(fmt::format("{}: JSON: {}", name, reason_of(e)));
  }
  return record;
}

const std::string* Record::find(const std::string& name) const {
  const std::string key = text_of(name);
  for (const auto& [k, v] : fields_)
    if (k == key) return &v;
  return nullptr;
}

std::vector<std::string> Record::names() const {
  std::vector<std::string> list;
  for (const auto& [key, value] : fields_) list.push_back(nlohmann::json::parse(key).get<std::string>());
  return list;
}

std::optional<double> Record::number(const std::string& name) const {
  const std::string* value = find(name);
  const auto parsed = value ? nlohmann::json::parse(*value) : nlohmann::json();
  return parsed.is_number() ? std::optional(parsed.get<double>()) : std::nullopt;
}

std::string Record::text(const std::string& name) const {
  const std::string* value = find(name);
  if (!value || value->front() != '"') return value ? *value : "";
  return nlohmann::json::parse(*value).get<std::string>();
}

std::string Record::line() const { return '{' + join(fields_, ", ") + '}'; }
std::string Record::lines() const { return "{\n  " + join(fields_, ",\n  ") + "\n}\n"; }

}  // namespace tapetum::train
