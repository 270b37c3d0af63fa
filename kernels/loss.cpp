#include "kernels/loss.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<CrossEntropyForwardArgs> cross_entropy_forward{"cross_entropy_forward",
                                                                          {TAPETUM_ENTRY(CrossEntropyForwardArgs, cross_entropy_forward_reference)},
                                                                          {TAPETUM_CPU(CrossEntropyForwardArgs, cross_entropy_forward_vec)},
                                                                          {TAPETUM_CUDA(CrossEntropyForwardArgs, cross_entropy_forward_cuda)}};

constinit const KernelSlot<CrossEntropyBackwardArgs> cross_entropy_backward{
    "cross_entropy_backward",
    {TAPETUM_ENTRY(CrossEntropyBackwardArgs, cross_entropy_backward_reference)},
    {TAPETUM_CPU(CrossEntropyBackwardArgs, cross_entropy_backward_vec)},
    {TAPETUM_CUDA(CrossEntropyBackwardArgs, cross_entropy_backward_cuda)}};

}  // namespace tapetum::kernels
