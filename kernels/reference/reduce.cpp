#include "kernels/reduce.h"

#include "kernels/candidates.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

bool supports(const SumArgs&) { return true; }

Status sum(const SumArgs& a, Workspace&) {
  with_compute_type(a.dtype, [&]<class T>() {
    for (int64_t i = 0; i < a.kept.count; ++i) {
      const auto o = offsets_of(a.kept, i, a.kept.ndim);
      double total = 0;
      for (int64_t j = 0; j < a.reduced.count; ++j) total += static_cast<const T*>(a.x)[o.at[1] + offsets_of(a.reduced, j, a.reduced.ndim).at[0]];
      static_cast<T*>(a.y)[o.at[0]] = static_cast<T>(total);
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(SumArgs, sum_reference){.name = "reference", .supports = supports, .run = sum};

}  // namespace tapetum::kernels
