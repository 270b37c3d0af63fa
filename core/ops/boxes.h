// Axis-aligned boxes in pixels: [..., 4] as (x1, y1, x2, y2) unless a format says otherwise. Names and meaning are torchvision's.
#pragma once
#include "core/size2.h"
#include "core/tensor.h"

namespace tapetum {

enum class BoxFormat : int64_t { xyxy, xywh, cxcywh };  // two corners; corner and size; centre and size

Tensor box_convert(const Tensor& boxes, BoxFormat from, BoxFormat to);
Tensor box_area(const Tensor& boxes);                         // [...]; 16-bit types give f32, integers i64
Tensor clip_boxes_to_image(const Tensor& boxes, Size2 size);  // x into [0, w], y into [0, h]

// Intersection over union of each of a [N, 4] with each of b [M, 4]: [N, M]; 16-bit types and integers give f32. Two boxes without area give
// NaN, as 0 / 0; an inverted box (x2 < x1) shares nothing. The value has the same bits on every device.
Tensor box_iou(const Tensor& a, const Tensor& b);
Tensor generalized_box_iou(const Tensor& a, const Tensor& b);  // less the uncovered share of the smallest box around both (Rezatofighi et al., 2019)

// Greedy non-maximum suppression of boxes [N, 4] by scores [N]: from the best score down, a box stays unless its IoU with one that stayed is
// above the threshold. The places of those that stay, i64 [K], best first, the same on every device: among equal scores the earlier box comes
// first, NaN scores come last (torchvision: first), and a box with NaN, or without area, suppresses none and is suppressed by none.
Tensor nms(const Tensor& boxes, const Tensor& scores, double iou_threshold);
// Boxes of different classes (integers [N]) do not suppress each other. (torchvision shifts coordinates, which rounds them; this compares classes.)
Tensor batched_nms(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold);

// The same without a wait for the device, so that a graph can be captured: how many stay remains in its memory. classes may be undefined.
struct PaddedNms {
  Tensor kept;   // [N], i64: the boxes that stay, then -1
  Tensor count;  // [], i64
};
PaddedNms nms_padded(const Tensor& boxes, const Tensor& scores, const Tensor& classes, double iou_threshold);

}  // namespace tapetum
