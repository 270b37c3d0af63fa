#include "kernels/pool.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

#define MAX_POOL2D(role)                                                                                                                         \
  constinit const KernelSlot<MaxPool2dArgs> max_pool2d_##role {                                                                                  \
    "max_pool2d_" #role, {TAPETUM_ENTRY(MaxPool2dArgs, max_pool2d_##role##_reference)}, {TAPETUM_CPU(MaxPool2dArgs, max_pool2d_##role##_vec)}, { \
      TAPETUM_CUDA(MaxPool2dArgs, max_pool2d_##role##_cuda)                                                                                      \
    }                                                                                                                                            \
  }

MAX_POOL2D(forward);
MAX_POOL2D(gather);
MAX_POOL2D(scatter);

}  // namespace tapetum::kernels
