// Pipelines as text. The writer and the reader are both visitors of a transform's options.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "data/file.h"
#include "data/transforms/compose.h"
#include "data/transforms/registry.h"

namespace tapetum::data {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kKey = "transform";
constexpr int kDeepest = 64;  // transforms inside transforms

Json written(const Transform& transform);

class Writer final : public OptionVisitor {
 public:
  Json object;

 protected:
  void flag(const char* name, bool& v) override { object[name] = v; }
  void wholes(const char* name, int64_t* v, size_t count) override { put(name, v, count); }
  void numbers(const char* name, double* v, size_t count) override { put(name, v, count); }
  void list(const char* name, std::vector<double>& v) override { object[name] = v; }
  void choice(const char* name, int64_t& index, const char* (*name_of)(int64_t)) override { object[name] = name_of(index); }
  void child(const char* name, Transform& v) override { object[name] = written(v); }
  void children(const char* name, std::vector<Transform>& v) override {
    object[name] = Json::array();
    for (const Transform& t : v) object[name].push_back(written(t));
  }

 private:
  template <class T> void put(const char* name, const T* v, size_t count) {
    if (count == 1)
      object[name] = *v;
    else
      object[name] = std::vector<T>(v, v + count);
  }
};

Json written(const Transform& transform) {
  if (!transform || !transform.name()) throw Error("to_json: expected transforms with names, got a callable");
  Writer writer;
  writer.object[kKey] = transform.name();
  transform.visit(writer);
  return std::move(writer.object);
}

// `place` says where in the file: "augment.json: transforms[2]".
Transform parsed(const Json& json, const std::string& place, int depth);

class Reader final : public OptionVisitor {
 public:
  Reader(const Json& object, std::string place, int depth) : object_(object), place_(std::move(place)), depth_(depth) {}

  // Throws for an option that the transform did not ask for.
  void check_unknown(const std::string& transform) const {
    for (const auto& [key, value] : object_.items())
      if (key != kKey && !known_.contains(key))
        throw FormatError(fmt::format("{}: {} has no option '{}', expected {}", place_, transform, key, fmt::join(known_, ", ")));
  }

 protected:
  void flag(const char* name, bool& v) override {
    if (const Json* j = find(name)) {
      if (!j->is_boolean()) wrong(name, "true or false", *j);
      v = j->get<bool>();
    }
  }
  void wholes(const char* name, int64_t* v, size_t count) override {
    read(name, v, count, "whole number",
         [](const Json& j) { return j.is_number_integer() && (!j.is_number_unsigned() || j.get<uint64_t>() <= INT64_MAX); });
  }
  void numbers(const char* name, double* v, size_t count) override {
    read(name, v, count, "number", [](const Json& j) { return j.is_number(); });
  }
  void list(const char* name, std::vector<double>& v) override {
    const Json* j = find(name);
    if (!j) return;
    if (!j->is_array()) wrong(name, "a list of numbers", *j);
    for (const Json& item : *j)
      if (!item.is_number()) wrong(name, "a list of numbers", *j);
    v = j->get<std::vector<double>>();
  }
  void choice(const char* name, int64_t& index, const char* (*name_of)(int64_t)) override {
    const Json* j = find(name);
    if (!j) return;
    std::vector<std::string> names;
    while (const char* known = name_of(static_cast<int64_t>(names.size()))) names.emplace_back(known);
    const auto at = j->is_string() ? std::find(names.begin(), names.end(), j->get<std::string>()) : names.end();
    if (at == names.end()) wrong(name, fmt::format("one of {}", fmt::join(names, ", ")), *j);
    index = at - names.begin();
  }
  void child(const char* name, Transform& v) override {
    if (const Json* j = find(name)) v = parsed(*j, fmt::format("{}: {}", place_, name), depth_ + 1);
  }
  void children(const char* name, std::vector<Transform>& v) override {
    const Json* j = find(name);
    if (!j) return;
    if (!j->is_array()) wrong(name, "a list of transforms", *j);
    v.clear();
    for (size_t i = 0; i < j->size(); ++i) v.push_back(parsed((*j)[i], fmt::format("{}: {}[{}]", place_, name, i), depth_ + 1));
  }

 private:
  const Json* find(const char* name) {
    known_.insert(name);
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
  }
  [[noreturn]] void wrong(const char* name, const std::string& expected, const Json& got) const {
    throw FormatError(
        fmt::format("{}: expected {} for '{}', got {}", place_, expected, name, got.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
  template <class T, class F> void read(const char* name, T* v, size_t count, const char* kind, F is_kind) {
    const Json* j = find(name);
    if (!j) return;
    const std::string expected = count == 1 ? fmt::format("a {}", kind) : fmt::format("a list of {} {}s", count, kind);
    if (count == 1) {
      if (!is_kind(*j)) wrong(name, expected, *j);
      *v = j->get<T>();
      return;
    }
    if (!j->is_array() || j->size() != count) wrong(name, expected, *j);
    for (size_t i = 0; i < count; ++i) {
      if (!is_kind((*j)[i])) wrong(name, expected, *j);
      v[i] = (*j)[i].get<T>();
    }
  }

  const Json& object_;
  std::string place_;
  int depth_;
  std::set<std::string> known_;
};

Transform parsed(const Json& json, const std::string& place, int depth) {
  if (depth > kDeepest) throw FormatError(fmt::format("{}: transforms are nested deeper than {}", place, kDeepest));
  if (json.is_array()) {
    Compose all;
    for (size_t i = 0; i < json.size(); ++i) all.transforms.push_back(parsed(json[i], fmt::format("{}: [{}]", place, i), depth + 1));
    return all;
  }
  const auto key = json.is_object() ? json.find(kKey) : json.end();
  if (!json.is_object() || key == json.end() || !key->is_string())
    throw FormatError(fmt::format("{}: expected an object with the name of a '{}', or a list of such", place, kKey));
  const std::string name = key->get<std::string>();
  for (const RegisteredTransform& entry : registered_transforms()) {
    if (name != entry.name) continue;
    Reader reader(json, fmt::format("{} ({})", place, name), depth);
    try {
      Transform transform = entry.read(reader);
      reader.check_unknown(name);
      return transform;
    } catch (const FormatError&) {
      throw;
    } catch (const Error& e) {
      throw FormatError(fmt::format("{}: {}", place, e.what()));
    }
  }
  throw FormatError(fmt::format("{}: '{}' is no transform, expected {}", place, name, fmt::join(transform_names(), ", ")));
}

}  // namespace

std::string to_json(const Transform& transform) { return written(transform).dump(2) + "\n"; }

Transform transform_from_json(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> keys;  // of the objects being read
  std::string twice;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed_value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed_value.get<std::string>()).second) twice = parsed_value.get<std::string>();
    return true;
  };
  Json json;
  try {
    json = Json::parse(text, watch);
  } catch (const Json::exception& e) {
    throw FormatError(fmt::format("{}: {}", name, e.what()));
  }
  if (!twice.empty()) throw FormatError(fmt::format("{}: the option '{}' is given twice", name, twice));
  return parsed(json, name, 0);
}

Transform read_transform(const std::string& path) { return transform_from_json(read_file(path), path); }

}  // namespace tapetum::data
