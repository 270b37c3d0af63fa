#include "kernels/dice.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<DiceSumsArgs> dice_sums_forward{"dice_sums_forward",
                                                           {TAPETUM_ENTRY(DiceSumsArgs, dice_sums_forward_reference)},
                                                           {TAPETUM_CPU(DiceSumsArgs, dice_sums_forward_vec)},
                                                           {TAPETUM_CUDA(DiceSumsArgs, dice_sums_forward_cuda)}};

constinit const KernelSlot<DiceSumsBackwardArgs> dice_sums_backward{"dice_sums_backward",
                                                                    {TAPETUM_ENTRY(DiceSumsBackwardArgs, dice_sums_backward_reference)},
                                                                    {TAPETUM_CPU(DiceSumsBackwardArgs, dice_sums_backward_vec)},
                                                                    {TAPETUM_CUDA(DiceSumsBackwardArgs, dice_sums_backward_cuda)}};

}  // namespace tapetum::kernels
