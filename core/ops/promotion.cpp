#include "core/ops/promotion.h"

#include <algorithm>

#include "core/ops/creation.h"

namespace tapetum {
namespace {

int category(DType t) { return is_floating(t) ? 2 : t == DType::boolean ? 0 : 1; }

}  // namespace

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (category(a) != category(b)) return category(a) > category(b) ? a : b;
  const auto pair = std::minmax(a, b);  // the enum runs from wide to narrow
  if (pair.first == DType::f16 && pair.second == DType::bf16) return DType::f32;
  if (pair.first == DType::u8 && pair.second == DType::i8) return DType::i32;
  return pair.first;
}

DType promote(TensorList tensors) {
  DType by_rank[2] = {DType::boolean, DType::boolean};  // of tensors with dimensions, and without
  bool seen[2] = {};
  for (const Tensor& t : tensors) {
    const int rank = t.dim() == 0;
    by_rank[rank] = seen[rank] ? promote(by_rank[rank], t.dtype()) : t.dtype();
    seen[rank] = true;
  }
  if (!seen[0] || !seen[1]) return by_rank[seen[0] ? 0 : 1];
  return category(by_rank[1]) > category(by_rank[0]) ? by_rank[1] : by_rank[0];
}

DType compute_type(DType t) { return t == DType::f64 ? DType::f64 : is_floating(t) ? DType::f32 : DType::i64; }

DType kernel_type(const Tensor& x) { return x.device().kind == DeviceKind::cpu ? compute_type(x.dtype()) : x.dtype(); }

Tensor to_or_none(const Tensor& x, DType t) { return x.defined() ? to(x, t) : x; }

}  // namespace tapetum
