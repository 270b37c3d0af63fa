#include "kernels/boxes.h"

#include "kernels/candidates.h"

namespace tapetum::kernels {

constinit const KernelSlot<BoxIouArgs> box_iou_forward{"box_iou_forward",
                                                       {TAPETUM_ENTRY(BoxIouArgs, box_iou_reference)},
                                                       {TAPETUM_CPU(BoxIouArgs, box_iou_vec)},
                                                       {TAPETUM_CUDA(BoxIouArgs, box_iou_cuda)}};

constinit const KernelSlot<NmsArgs> nms_forward{
    "nms_forward", {TAPETUM_ENTRY(NmsArgs, nms_reference)}, {TAPETUM_CPU(NmsArgs, nms_vec)}, {TAPETUM_CUDA(NmsArgs, nms_cuda)}};

}  // namespace tapetum::kernels
