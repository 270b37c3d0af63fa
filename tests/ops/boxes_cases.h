#pragma once
#include "kernels/boxes.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> box_iou_slots = {&kernels::box_iou_forward};
inline const std::vector<const kernels::SlotBase*> nms_slots = {&kernels::nms_forward};

// Two points a box, as the corners of one that is not inverted. (Nothing is rounded, in no dtype.)
inline Tensor corners(const Tensor& x) {
  const Tensor p = slice(x, -1, 0, 2), q = slice(x, -1, 2, 4);
  return cat({minimum(p, q), maximum(p, q)}, -1);
}

// Labels 0, 1, 2, 0, ... beside x.
inline Tensor cyclic_classes(const Tensor& x) {
  Tensor classes = empty({x.size(0)}, DType::i64);
  for (int64_t i = 0; i < x.size(0); ++i) classes.mutable_data<int64_t>()[i] = i % 3;
  return to(classes, x.device());
}

// n boxes of 20 to 80 pixels strewn over an image of 1000 x 1000, and their scores.
template <int64_t n> Tensor nms_of_scene(const std::vector<Tensor>&) {
  static const Tensor corner = rand({n, 2}, 0, 1000), boxes = cat({corner, corner + rand({n, 2}, 20, 80)}, 1), scores = rand({n});
  return nms(boxes, scores, 0.5);
}

inline Case convert_case(const char* name, BoxFormat from, BoxFormat to) {
  return {.name = name, .shapes = {{2, 3, 4}}, .op = [=](const auto& x) { return box_convert(x[0], from, to); }, .slots = {}};
}

inline const std::vector<Case> boxes_cases = {
    convert_case("box_convert corners to sizes", BoxFormat::xyxy, BoxFormat::xywh),
    convert_case("box_convert corners to centres", BoxFormat::xyxy, BoxFormat::cxcywh),
    convert_case("box_convert sizes to corners", BoxFormat::xywh, BoxFormat::xyxy),
    convert_case("box_convert sizes to centres", BoxFormat::xywh, BoxFormat::cxcywh),
    convert_case("box_convert centres to corners", BoxFormat::cxcywh, BoxFormat::xyxy),
    convert_case("box_convert centres to sizes", BoxFormat::cxcywh, BoxFormat::xywh),
    {.name = "box_area", .shapes = {{2, 3, 4}}, .op = [](const auto& x) { return box_area(x[0]); }, .slots = {}},
    {.name = "clip_boxes_to_image",
     .shapes = {{5, 4}},
     .op =
         [](const auto& x) {
           return clip_boxes_to_image(x[0], {1, 2});
         },
     .slots = {},
     .low = -1,
     .high = 3},
    {.name = "box_iou",
     .shapes = {{6, 4}, {37, 4}},
     .op = [](const auto& x) { return box_iou(corners(x[0]), corners(x[1])); },
     .slots = box_iou_slots,
     .amplification = 4},
    {.name = "generalized_box_iou",
     .shapes = {{19, 4}, {5, 4}},
     .op = [](const auto& x) { return generalized_box_iou(corners(x[0]), corners(x[1])); },
     .slots = box_iou_slots,
     .amplification = 4},
    {.name = "box_iou with none", .shapes = {{0, 4}, {3, 4}}, .op = [](const auto& x) { return box_iou(x[0], x[1]); }, .slots = box_iou_slots},
    {.name = "nms", .shapes = {{70, 4}, {70}}, .op = [](const auto& x) { return nms(corners(x[0]), x[1], 0.4); }, .slots = nms_slots, .flat = true},
    {.name = "nms of none", .shapes = {{0, 4}, {0}}, .op = [](const auto& x) { return nms(x[0], x[1], 0.4); }, .slots = nms_slots, .flat = true},
    {.name = "batched_nms",
     .shapes = {{70, 4}, {70}},
     .op = [](const auto& x) { return batched_nms(corners(x[0]), x[1], cyclic_classes(x[1]), 0.4); },
     .slots = nms_slots,
     .flat = true},
    {.name = "box_iou of 1,000 by 1,000",
     .shapes = {{1000, 4}, {1000, 4}},
     .op = [](const auto& x) { return box_iou(corners(x[0]), corners(x[1])); },
     .slots = box_iou_slots,
     .flat = true,
     .bench = true,
     .bytes = 4e6},
    {.name = "nms of 1,000", .shapes = {}, .op = nms_of_scene<1000>, .slots = nms_slots, .flat = true, .bench = true},
    {.name = "nms of 10,000", .shapes = {}, .op = nms_of_scene<10000>, .slots = nms_slots, .flat = true, .bench = true},
    {.name = "nms of 100,000", .shapes = {}, .op = nms_of_scene<100000>, .slots = nms_slots, .flat = true, .bench = true},
};

}  // namespace tapetum::test
