#include "kernels/fold.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<FoldArgs> unfold_forward{
    "unfold_forward", {TAPETUM_ENTRY(FoldArgs, unfold_reference)}, {TAPETUM_CPU(FoldArgs, unfold_rows)}, {TAPETUM_CUDA(FoldArgs, unfold_cuda)}};
constinit const KernelSlot<FoldArgs> fold_forward{
    "fold_forward", {TAPETUM_ENTRY(FoldArgs, fold_reference)}, {TAPETUM_CPU(FoldArgs, fold_planes)}, {TAPETUM_CUDA(FoldArgs, fold_cuda)}};

}  // namespace tapetum::kernels
