#include "core/serialization/pickle.h"

#include <fmt/core.h>

namespace tapetum {

PickleValue PickleValue::of(bool v) {
  PickleValue value = of(int64_t{v});
  value.kind_ = PickleKind::boolean;
  return value;
}

PickleValue PickleValue::of(int64_t v) {
  PickleValue value;
  value.kind_ = PickleKind::integer;
  value.integer_ = v;
  return value;
}

PickleValue PickleValue::of(double v) {
  PickleValue value;
  value.kind_ = PickleKind::real;
  value.real_ = v;
  return value;
}

PickleValue PickleValue::of(PickleKind kind, std::string_view text) {
  PickleValue value;
  value.kind_ = kind;
  value.text_ = text.data();
  value.size_ = static_cast<uint32_t>(text.size());
  return value;
}

PickleValue PickleValue::of(PickleKind kind, PickleNode* node) {
  PickleValue value;
  value.kind_ = kind;
  value.node_ = node;
  return value;
}

const std::vector<PickleValue>& PickleValue::items() const {
  static const std::vector<PickleValue> none;
  return kind_ >= PickleKind::list ? node_->items : none;
}

const PickleValue* PickleValue::find(std::string_view key) const {
  if (!is(PickleKind::dict)) return nullptr;
  const PickleValue* found = nullptr;  // the last of equal keys, as in Python
  for (size_t i = 0; i + 1 < items().size(); i += 2)
    if (items()[i].is(PickleKind::text) && items()[i].text() == key) found = &items()[i + 1];
  return found;
}

std::string PickleValue::global_name() const {
  if (is(PickleKind::object)) return items()[0].global_name();
  return is(PickleKind::global) ? fmt::format("{}.{}", items()[0].text(), items()[1].text()) : std::string();
}

}  // namespace tapetum
