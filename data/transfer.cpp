#include "data/transfer.h"

#include "core/ops/creation.h"

namespace tapetum::data {

// The memory is the consumer's, so that it may die at any time: its earlier use must be over before the copy begins.
Tensor Transfer::start(const Tensor& x) const {
  const Tensor pinned = pin_memory(x);
  Tensor y = [&] {
    const cuda::StreamGuard on(consumer_);
    return empty_strided(pinned.shape(), pinned.strides(), pinned.dtype(), consumer_.device());
  }();
  const cuda::Event free;
  free.record(consumer_);
  copies_.wait(free);
  const cuda::StreamGuard on(copies_);
  copy_bytes(y, pinned, false);
  return y;
}

cuda::Event Transfer::arrival() const {
  const cuda::Event event;
  event.record(copies_);
  return event;
}

}  // namespace tapetum::data
