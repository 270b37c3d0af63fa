// One image [C, H, W] where ops work on batches [N, C, H, W]. (For the ops' own files.)
#pragma once
#include "core/ops/indexed.h"
#include "core/ops/view.h"

namespace tapetum {

inline Tensor without_batch(const Tensor& y) { return squeeze(y, 0); }
inline Indexed without_batch(const Indexed& y) { return {squeeze(y.values, 0), squeeze(y.indices, 0)}; }

// f of x, or of x as a batch of one, whose result loses the batch again.
template <class F> auto batched(const Tensor& x, F f) { return x.dim() == 3 ? without_batch(f(unsqueeze(x, 0))) : f(x); }

}  // namespace tapetum
