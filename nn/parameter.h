// The tensors that a module owns. Copying one copies its data, so that the implicit copy of a module is deep.
#pragma once
#include "core/tensor.h"

namespace tapetum::nn {

struct OwnedTensor : Tensor {
  OwnedTensor() = default;
  explicit OwnedTensor(const Tensor& t) : Tensor(t) {}
  OwnedTensor(OwnedTensor&&) = default;
  OwnedTensor& operator=(OwnedTensor&&) = default;
  OwnedTensor(const OwnedTensor& o);
};

// Learnt: parameters() lists it.
struct Parameter : OwnedTensor {
  Parameter() = default;
  explicit Parameter(const Tensor& t);  // a leaf that requires gradients, on t's data
  void tie(const Parameter& other);     // one parameter from here on, under both names; clone() keeps the tie
};

// Kept and saved with the module, but not learnt: running statistics, counters.
struct Buffer : OwnedTensor {
  using OwnedTensor::OwnedTensor;
};

// While the outermost one lives, tensors that share one handle are copied once and share the copy.
class CloneScope {
 public:
  CloneScope();
  ~CloneScope();
  CloneScope(const CloneScope&) = delete;

 private:
  bool outermost_;
};

}  // namespace tapetum::nn
