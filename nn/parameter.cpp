#include "nn/parameter.h"

#include <memory>
#include <unordered_map>

#include "core/ops/view.h"

namespace tapetum::nn {
namespace {

using Copies = std::unordered_map<const TensorImpl*, Tensor>;
thread_local std::unique_ptr<Copies> copies;  // of the outermost CloneScope

Tensor deep_copy(const Tensor& t) {
  Tensor copy = tapetum::clone(t.detach());
  copy.set_requires_grad(t.impl().requires_grad);
  return copy;
}

}  // namespace

CloneScope::CloneScope() : outermost_(!copies) {
  if (outermost_) copies = std::make_unique<Copies>();
}

CloneScope::~CloneScope() {
  if (outermost_) copies.reset();
}

OwnedTensor::OwnedTensor(const OwnedTensor& o) : Tensor() {
  if (!o.defined()) return;
  Tensor copy;
  if (copies) {
    Tensor& known = (*copies)[o.ref().get()];
    if (!known.defined()) known = deep_copy(o);
    copy = known;
  } else {
    copy = deep_copy(o);
  }
  static_cast<Tensor&>(*this) = copy;
}

Parameter::Parameter(const Tensor& t) : OwnedTensor(t.detach()) { set_requires_grad(); }

void Parameter::tie(const Parameter& other) { static_cast<Tensor&>(*this) = other; }

}  // namespace tapetum::nn
