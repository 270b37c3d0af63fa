#include "kernels/random.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

// clang-format off: it takes #op for a directive
#define RANDOM(op)                                                                                                                      \
  constinit const RandomSlot op {                                                                                                       \
#op, {TAPETUM_ENTRY(RandomArgs, op##_reference) }, {TAPETUM_CPU(RandomArgs, op##_blocks) }, { TAPETUM_CUDA(RandomArgs, op##_cuda) } \
  }
// clang-format on

RANDOM(random_uniform);
RANDOM(random_normal);
RANDOM(random_bernoulli);

}  // namespace tapetum::kernels
