#include "kernels/sort.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<TopkArgs> topk_forward{
    "topk_forward", {TAPETUM_ENTRY(TopkArgs, topk_reference)}, {TAPETUM_CPU(TopkArgs, topk_select)}, {}};

}  // namespace tapetum::kernels
