#include "kernels/index.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

// (The formatter takes #op for a directive.)
// clang-format off
#define INDEX(op, Args)                                                            \
  constinit const KernelSlot<Args> op##_forward{#op "_forward",                    \
                                                {TAPETUM_ENTRY(Args, op##_reference)}, \
                                                {TAPETUM_CPU(Args, op##_lines)},     \
                                                {TAPETUM_CUDA(Args, op##_cuda)}}
// clang-format on

INDEX(gather, IndexArgs);
INDEX(scatter, IndexArgs);
INDEX(scatter_add, IndexArgs);
INDEX(nonzero, NonzeroArgs);

}  // namespace tapetum::kernels
