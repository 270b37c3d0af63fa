// Boxes [n, 4] as (x1, y1, x2, y2): how much each of one list overlaps each of another, and which stay when the best suppress the rest.
#pragma once
#include "kernels/slot.h"

namespace tapetum::kernels {

struct BoxIouShape {
  int64_t rows, columns;
  bool generalized;
  DType dtype;
};

struct BoxIouArgs {
  BoxIouShape shape;
  const void* a;  // [rows, 4], dense
  const void* b;  // [columns, 4], dense
  void* y;        // [rows, columns]
};

extern const KernelSlot<BoxIouArgs> box_iou_forward;

struct NmsArgs {
  int64_t count;
  DType dtype;
  double threshold;        // an overlap above it suppresses
  const void* boxes;       // [count, 4], dense
  const int64_t* order;    // the boxes' places, best first
  const int64_t* classes;  // null, or [count]: boxes of different classes leave each other alone
  int64_t* kept;           // room for [count]: the places of the boxes that stay, best first; the rest is left alone
  int64_t* found;          // how many they are, in the device's memory
};

extern const KernelSlot<NmsArgs> nms_forward;

}  // namespace tapetum::kernels
