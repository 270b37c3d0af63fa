// What a call has to do at least, read off its arguments: what the profiler relates times to. A family that knows has an overload of work_of
// beside its Args.
#pragma once

namespace tapetum::kernels {

struct Work {
  double flops = 0;  // a multiply-add is two; of the direct form, also where a candidate takes fewer (Winograd)
  double bytes = 0;  // each element of inputs and outputs once; 0: unknown, for ops count those of their tensors
};

template <class Args> constexpr Work work_of(const Args&) { return {}; }

}  // namespace tapetum::kernels
