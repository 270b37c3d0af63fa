#include "kernels/sort.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<TopkArgs> topk_forward{"topk_forward",
                                                  {TAPETUM_ENTRY(TopkArgs, topk_reference)},
                                                  {TAPETUM_CPU(TopkArgs, topk_select)},
                                                  {TAPETUM_CUDA(TopkArgs, topk_block_cuda) TAPETUM_CUDA(TopkArgs, topk_radix_cuda)
                                                       TAPETUM_VENDOR(CUB, TopkArgs, topk_cub_cuda) TAPETUM_CUDA(TopkArgs, topk_merge_cuda)}};

}  // namespace tapetum::kernels
