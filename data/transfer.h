// Tensors on their way to a GPU while it works on what came before: from pinned memory, on a stream of their own.
#pragma once
#include "core/cuda.h"
#include "core/tensor.h"

namespace tapetum::data {

// The copies belong to the stream that is current on the thread that makes the Transfer; others may start them.
class Transfer {
 public:
  explicit Transfer(Device device) : consumer_(cuda::Stream::current(device)), copies_(device) {}

  // x, a CPU tensor, on the device; its values are there for the consumer's work after wait_for(arrival()).
  Tensor start(const Tensor& x) const;
  cuda::Event arrival() const;  // of all that was started
  void wait_for(const cuda::Event& arrival) const { consumer_.wait(arrival); }

 private:
  cuda::Stream consumer_, copies_;
};

}  // namespace tapetum::data
