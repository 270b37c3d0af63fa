#include "kernels/attention.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<AttentionForwardArgs> attention_forward{
    "attention_forward",
    {TAPETUM_ENTRY(AttentionForwardArgs, attention_forward_reference)},
    {TAPETUM_CPU(AttentionForwardArgs, attention_forward_tiles)},
    {TAPETUM_CUDA(AttentionForwardArgs, attention_forward_hopper_cuda) TAPETUM_CUDA(AttentionForwardArgs, attention_forward_flash_cuda)
         TAPETUM_VENDOR(CUDNN, AttentionForwardArgs, attention_forward_cudnn) TAPETUM_CUDA(AttentionForwardArgs, attention_forward_registers_cuda)
             TAPETUM_CUDA(AttentionForwardArgs, attention_forward_cuda)}};
constinit const KernelSlot<AttentionBackwardArgs> attention_backward{
    "attention_backward",
    {TAPETUM_ENTRY(AttentionBackwardArgs, attention_backward_reference)},
    {TAPETUM_CPU(AttentionBackwardArgs, attention_backward_tiles)},
    {TAPETUM_CUDA(AttentionBackwardArgs, attention_backward_hopper_cuda) TAPETUM_CUDA(AttentionBackwardArgs, attention_backward_flash_cuda)
         TAPETUM_CUDA(AttentionBackwardArgs, attention_backward_cuda)}};

}  // namespace tapetum::kernels
