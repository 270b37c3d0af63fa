#include "core/autograd/autocast.h"

#include <fmt/core.h>

#include <map>
#include <tuple>

#include "core/capture.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/promotion.h"

namespace tapetum {
namespace {

// A parameter that is used twice is cast once. Valid while the parameter's elements are the same: its data may be changed, or replaced.
struct Cached {
  Ref<TensorImpl> leaf;  // keeps the address from being used again
  Ref<Storage> storage;
  uint32_t version;
  Tensor cast;
};
using Key = std::tuple<const TensorImpl*, DType, bool>;  // whether the cast is recorded
thread_local std::map<Key, Cached> cache;

// Only leaves that have gradients. A graph that is being captured has to cast at each replay.
bool cacheable(const Tensor& x) { return x.impl().requires_grad && !x.impl().grad_fn && !current_capture(); }

}  // namespace

Autocast::Autocast(Device device, DType dtype, bool enabled) : outermost_(!modes.autocast.enabled) {
  if (dtype != DType::f16 && dtype != DType::bf16) throw DTypeError(fmt::format("Autocast: expected f16 or bf16, got {}", name_of(dtype)));
  modes.autocast = {enabled, device.kind, dtype};
}

Autocast::~Autocast() {
  if (outermost_) cache.clear();
}

bool Casting::eligible(const Tensor& x) const {
  if (!x.defined() || !is_floating(x.dtype()) || x.dtype() == DType::f64) return false;
  return x.device().kind == autocast_.device || x.device().kind == DeviceKind::meta;
}

Tensor Casting::cast(const Tensor& x) const {
  if (*target_ == DType::f32 || !cacheable(x)) return to(x, *target_);
  Cached& known = cache[{&x.impl(), *target_, modes.grad}];
  if (!known.cast.defined() || known.version != x.version() || !(known.storage == x.impl().storage))
    known = {x.ref(), x.impl().storage, x.version(), to(x, *target_)};
  return known.cast;
}

std::vector<Tensor> Casting::operator()(TensorList xs) const {
  std::vector<Tensor> all;
  for (const Tensor& x : xs) all.push_back((*this)(x));
  return all;
}

void Casting::widen(const Tensor& x) {
  if (eligible(x)) target_ = target_ ? promote(*target_, x.dtype()) : x.dtype();
}

size_t autocast_cache_size() { return cache.size(); }

}  // namespace tapetum
