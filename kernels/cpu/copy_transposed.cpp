// Transposes: square blocks go through registers, so that cache lines are read and written whole.
#include "kernels/cpu/constant.h"
#include "kernels/cpu/transpose.h"
#include "kernels/parallel.h"
#include "kernels/round.h"
#include "kernels/transposed.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kLanes = Vec<float>::lanes;
constexpr int64_t kSide = 128;  // of a unit of work, a multiple of every instruction set's lanes

bool supports(const ElementwiseArgs& a) {
  return Transposes(a).rows && (a.dtype[0] == DType::f32 || size_of(a.dtype[0]) == 2) && a.compute == DType::f32;
}
bool prefers(const ElementwiseArgs& a) { return Transposes(a).worthwhile(); }

// `rows` rows of x of `columns` elements each become as many columns of y; both at most kLanes.
template <class S> void copy_block(const S* x, int64_t x_stride, S* y, int64_t y_stride, int64_t rows, int64_t columns) {
  Vec<float> block[kLanes];
#pragma GCC unroll 16
  for (int64_t i = 0; i < kLanes; ++i) block[i] = i < rows ? Vec<float>::load(x + i * x_stride, columns) : Vec<float>(0);
  transpose(block);
#pragma GCC unroll 16
  for (int64_t i = 0; i < kLanes; ++i)
    if (i < columns) block[i].store(y + i * y_stride, rows);
}

template <class S> void copy(const ElementwiseArgs& a) {
  const Transposes t(a);
  const int64_t down = ceil_div(t.rows, kSide), across = ceil_div(t.columns, kSide), per_plane = down * across;
  parallel_for(t.planes * per_plane, [&](int64_t unit) {
    const auto o = offsets_of(t.of_plane, unit / per_plane, t.of_plane.ndim);
    const int64_t row = unit % per_plane / across * kSide, column = unit % across * kSide;
    const int64_t last_row = smaller(row + kSide, t.rows), last_column = smaller(column + kSide, t.columns);
    const S* x = static_cast<const S*>(a.x[0]) + o.at[1];
    S* y = static_cast<S*>(a.y) + o.at[0];
    for (int64_t j = column; j < last_column; j += kLanes)
      for (int64_t i = row; i < last_row; i += kLanes)
        copy_block(x + i * t.x_stride + j, t.x_stride, y + j * t.y_stride + i, t.y_stride, smaller(kLanes, last_row - i),
                   smaller(kLanes, last_column - j));
  });
}

Status run(const ElementwiseArgs& a, Workspace&) {
  if (a.shape.count) with_wide_type(a.dtype[0], [&]<class S>() { copy<S>(a); });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(ElementwiseArgs, copy_forward_transposed){.name = "transposed", .supports = supports, .prefers = prefers, .run = run};

}  // namespace tapetum::kernels
