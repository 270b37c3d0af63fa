// Overlaps of all pairs: a thread keeps one box of b and meets kRows boxes of a. 4 bytes written for each f32 pair, 1 / kRows and 1 / kThreads
// of a box read: bound by the memory that takes the result.
#include "kernels/boxes.h"
#include "kernels/box_overlap.h"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kRows = 16;

template <class T, bool generalized> __global__ void __launch_bounds__(kThreads) box_iou_pairs_kernel(BoxIouArgs a, unsigned column_blocks) {
  const int64_t column = blockIdx.x % column_blocks * int64_t{kThreads} + threadIdx.x, first = blockIdx.x / column_blocks * int64_t{kRows};
  const auto& s = a.shape;
  if (column >= s.columns) return;
  const Box<T> box = box_at(static_cast<const T*>(a.b), column);
  for (int64_t row = first; row < first + kRows && row < s.rows; ++row) {
    const Box<T> other = box_at(static_cast<const T*>(a.a), row);
    static_cast<T*>(a.y)[row * s.columns + column] = generalized ? generalized_iou(other, box) : iou(other, box);
  }
}

bool supports(const BoxIouArgs& a) { return is_compute(a.shape.dtype); }

Status box_iou(const BoxIouArgs& a, Workspace& w) {
  const auto& s = a.shape;
  if (s.rows == 0 || s.columns == 0) return Status::ok;
  const unsigned column_blocks = blocks_for(s.columns, kThreads);
  const gpu::Launch pairs{.grid = dim3(column_blocks * blocks_for(s.rows, kRows)), .block = kThreads, .stream = stream_of(w)};
  return with_compute_type(s.dtype, [&]<class T>() {
    return status_of(s.generalized ? gpu::launch<box_iou_pairs_kernel<T, true>>(pairs, a, column_blocks)
                                   : gpu::launch<box_iou_pairs_kernel<T, false>>(pairs, a, column_blocks));
  });
}

}  // namespace

TAPETUM_CANDIDATE(BoxIouArgs, box_iou_cuda){.name = "pairs", .supports = supports, .run = box_iou};

}  // namespace tapetum::kernels
