// How printing, JSON and tests see the options of a transform: by name, in the order of its fields().
#pragma once
#include <type_traits>
#include <vector>

#include "core/size2.h"
#include "data/pixels/geometry.h"

namespace tapetum::data {

struct Range {
  double low, high;
};
struct IntRange {
  int64_t low, high;  // both included
};

class Transform;

// Sees each option as one of a few kinds. A visitor may read the values or replace them.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  void operator()(const char* name, bool& v) { flag(name, v); }
  void operator()(const char* name, int64_t& v) { wholes(name, &v, 1); }
  void operator()(const char* name, double& v) { numbers(name, &v, 1); }
  void operator()(const char* name, Range& v) { numbers(name, &v.low, 2); }
  void operator()(const char* name, IntRange& v) { wholes(name, &v.low, 2); }
  void operator()(const char* name, Size2& v) { wholes(name, &v.h, 2); }
  void operator()(const char* name, std::vector<double>& v) { list(name, v); }
  void operator()(const char* name, Transform& v) { child(name, v); }
  void operator()(const char* name, std::vector<Transform>& v) { children(name, v); }
  void operator()(const char* name, Fill& v);  // four whole numbers, red, green, blue and alpha
  template <class E>
  requires std::is_enum_v<E>
  void operator()(const char* name, E& v) {
    auto index = static_cast<int64_t>(v);
    choice(name, index, [](int64_t i) { return name_of(static_cast<E>(i)); });
    v = static_cast<E>(index);
  }

 protected:
  virtual void flag(const char* name, bool& v) = 0;
  virtual void wholes(const char* name, int64_t* v, size_t count) = 0;
  virtual void numbers(const char* name, double* v, size_t count) = 0;
  virtual void list(const char* name, std::vector<double>& v) = 0;
  virtual void choice(const char* name, int64_t& index, const char* (*name_of)(int64_t)) = 0;  // null beyond the last
  virtual void child(const char* name, Transform& v) = 0;
  virtual void children(const char* name, std::vector<Transform>& v) = 0;
};

}  // namespace tapetum::data
