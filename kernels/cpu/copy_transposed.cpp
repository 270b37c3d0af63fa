// A copy of which each side is dense along another dimension is a batch of transposes, as of a matrix or between an image's two formats:
// square blocks go through registers, so that cache lines are read and written whole.
#include "kernels/cpu/constant.h"
#include "kernels/cpu/transpose.h"
#include "kernels/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/round.h"
#include "kernels/strided.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kLanes = Vec<float>::lanes;
constexpr int64_t kSide = 128;    // of a unit of work, a multiple of every instruction set's lanes
constexpr int64_t kShortest = 8;  // below, most lanes would be empty

// The dimensions along which x and y are dense, -1 for none.
struct DenseAlong {
  int64_t x = -1, y = -1;
  explicit DenseAlong(const ElementwiseArgs& a) {
    for (int64_t d = 0; d < a.shape.ndim; ++d) {
      if (a.shape.stride[1][d] == 1) x = d;
      if (a.shape.stride[0][d] == 1) y = d;
    }
  }
};

bool supports(const ElementwiseArgs& a) {
  const DenseAlong dense(a);
  return a.dtype[0] == a.dtype[1] && (a.dtype[0] == DType::f32 || size_of(a.dtype[0]) == 2) && a.compute == DType::f32 && dense.x >= 0 &&
         dense.y >= 0 && dense.x != dense.y;
}
bool prefers(const ElementwiseArgs& a) {
  const DenseAlong dense(a);
  return a.shape.size[dense.x] >= kShortest && a.shape.size[dense.y] >= kShortest;
}

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
  const DenseAlong dense(a);
  const int64_t rows = a.shape.size[dense.y], columns = a.shape.size[dense.x];
  const int64_t x_stride = a.shape.stride[1][dense.y], y_stride = a.shape.stride[0][dense.x];
  auto planes = a.shape;
  planes.size[dense.x] = planes.size[dense.y] = 1;
  const int64_t down = ceil_div(rows, kSide), across = ceil_div(columns, kSide), per_plane = down * across;
  parallel_for(planes.count / (rows * columns) * per_plane, [&](int64_t unit) {
    const auto o = offsets_of(planes, unit / per_plane, planes.ndim);
    const int64_t row = unit % per_plane / across * kSide, column = unit % across * kSide;
    const int64_t last_row = smaller(row + kSide, rows), last_column = smaller(column + kSide, columns);
    const S* x = static_cast<const S*>(a.x[0]) + o.at[1];
    S* y = static_cast<S*>(a.y) + o.at[0];
    for (int64_t j = column; j < last_column; j += kLanes)
      for (int64_t i = row; i < last_row; i += kLanes)
        copy_block(x + i * x_stride + j, x_stride, y + j * y_stride + i, y_stride, smaller(kLanes, last_row - i), smaller(kLanes, last_column - j));
  });
}

Status run(const ElementwiseArgs& a, Workspace&) {
  if (a.shape.count) with_wide_type(a.dtype[0], [&]<class S>() { copy<S>(a); });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(ElementwiseArgs, copy_forward_transposed){.name = "transposed", .supports = supports, .prefers = prefers, .run = run};

}  // namespace tapetum::kernels
