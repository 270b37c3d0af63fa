// Every pair's overlap; and the best box stays, then the next best that no better one of its class overlaps too much, and so on.
#include "kernels/boxes.h"

#include "kernels/box_overlap.h"
#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports_iou(const BoxIouArgs& a) { return is_compute(a.shape.dtype); }
bool supports_nms(const NmsArgs& a) { return is_compute(a.dtype); }

Status box_iou(const BoxIouArgs& a, Workspace&) {
  const auto& s = a.shape;
  with_compute_type(s.dtype, [&]<class T>() {
    for (int64_t i = 0; i < s.rows; ++i)
      for (int64_t j = 0; j < s.columns; ++j) {
        const Box<T> row = box_at(static_cast<const T*>(a.a), i), column = box_at(static_cast<const T*>(a.b), j);
        static_cast<T*>(a.y)[i * s.columns + j] = s.generalized ? generalized_iou(row, column) : iou(row, column);
      }
  });
  return Status::ok;
}

Status nms(const NmsArgs& a, Workspace&) {
  *a.found = 0;
  with_compute_type(a.dtype, [&]<class T>() {
    const auto suppresses = [&](int64_t i, int64_t j) {
      if (a.classes && a.classes[i] != a.classes[j]) return false;
      return static_cast<double>(iou(box_at(static_cast<const T*>(a.boxes), i), box_at(static_cast<const T*>(a.boxes), j))) > a.threshold;
    };
    for (int64_t rank = 0; rank < a.count; ++rank) {
      const int64_t j = a.order[rank];
      bool stays = true;
      for (int64_t k = 0; k < *a.found && stays; ++k) stays = !suppresses(a.kept[k], j);
      if (stays) a.kept[(*a.found)++] = j;
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(BoxIouArgs, box_iou_reference){.name = "reference", .supports = supports_iou, .run = box_iou};
TAPETUM_CANDIDATE(NmsArgs, nms_reference){.name = "reference", .supports = supports_nms, .run = nms};

}  // namespace tapetum::kernels
