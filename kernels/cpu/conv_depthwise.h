// What the depthwise convolutions share: a block is kBlock neighbouring outputs of a row, for a register of channels. The columns of x that it
// reads overlap, so it slides over them: each is loaded once for all the outputs that it takes part in, with all that is summed in registers.
#pragma once
#include "kernels/cpu/constant.h"
#include "kernels/cpu/conv_epilogue.h"

namespace tapetum::kernels {
namespace {

constexpr int kBlock = 8;

inline bool is_depthwise(const Conv2dArgs& a) {
  const auto& z = a.shape;
  return stores(z.dtype) && z.c == z.groups && z.k == z.groups && z.x_stride[1] == 1 && z.y_stride[1] == 1;
}

// The channels in registers. The last one overlaps the one before it, so that all are whole unless there is only one.
template <class T> struct ChannelRegisters {
  int64_t channels_in_all;
  int64_t count() const { return ceil_div(channels_in_all, Vec<T>::lanes); }
  int64_t channel(int64_t i) const { return smaller(i * Vec<T>::lanes, std::max<int64_t>(channels_in_all - Vec<T>::lanes, 0)); }
  int64_t channels(int64_t i) const { return channels_in_all - channel(i); }
};

// Bytes of a filter that lies as [registers of channels, R, S, lanes].
[[maybe_unused]] size_t filter_bytes(const Conv2dShape& z) {
  const int64_t lanes = TAPETUM_VECTOR_BYTES / compute_size(z.dtype);
  return static_cast<size_t>((round_up(z.c, lanes) * z.r * z.s + 1) * compute_size(z.dtype));
}

// Columns and registers of channels that are gone through together, row after row: as many as leave the rows that the filter meets again in the
// L2 cache. (Narrower tiles in the L1 cache lose more by short runs of memory than they gain.) `bytes`: what one column and register reads of x.
struct Tile {
  int64_t width = 0, block = 1, columns = 1, registers = 1;  // of the image; of a block; of a tile

  Tile() = default;
  Tile(int64_t width, int64_t count, int64_t bytes) : width(width) {
    constexpr int64_t kBytes = 120 << 10;
    block = std::max<int64_t>(1, ceil_div(width, std::max<int64_t>(1, ceil_div(width, kBlock))));
    const int64_t fit = std::max<int64_t>(4, kBytes / std::max<int64_t>(1, bytes * block) / 4 * 4);
    registers = std::max<int64_t>(1, ceil_div(count, std::max<int64_t>(1, ceil_div(count, fit))));
    columns = block * std::max<int64_t>(1, kBytes / std::max<int64_t>(1, bytes * block * registers));
  }
};

// f(taps, stride) for filter rows with kernels of their own. All else goes tap by tap, for which a stride is a greater step.
template <class F> void with_window(int64_t taps, int64_t stride, F f) {
  if (taps == 3 && stride == 1) return f(Constant<3>(), Constant<1>());
  if (taps == 5 && stride == 1) return f(Constant<5>(), Constant<1>());
  if (taps == 7 && stride == 1) return f(Constant<7>(), Constant<1>());
  if (taps == 3 && stride == 2) return f(Constant<3>(), Constant<2>());
  if (taps == 5 && stride == 2) return f(Constant<5>(), Constant<2>());
  if (taps == 2 && stride == 1) return f(Constant<2>(), Constant<1>());  // grad_input of 3 or 5 taps, stride 2
  f(Constant<1>(), Constant<1>());
}

// `taps` neighbouring taps of the filter that all outputs of a block meet in one row of x. Column k of the window is tap s of output b where
// k = b * stride + s; columns [lo, hi) lie inside of the image.
template <class S> struct Line {
  const S* x;  // of column 0
  int64_t lo, hi;
  int64_t tap;  // the first one: r * S + s
};

// f(b, s, column) for all products of the columns inside. Fewer channels than a register holds are filled up with zeros.
template <int taps, int stride, class V, class S, class F>
[[gnu::always_inline]] inline void slide(const Line<S>& line, int64_t c, int64_t channels, int64_t step, F f) {
  const S* x = line.x + c;
  const int64_t lo = line.lo, hi = line.hi;
#pragma GCC unroll 32
  for (int k = 0; k < (kBlock - 1) * stride + taps; ++k, x += step) {
    if (k < lo || k >= hi) continue;
    const V column = taps > 1 ? V::load(x) : V::load(x, channels);
#pragma GCC unroll 8
    for (int s = 0; s < taps; ++s)
      if (k >= s && (k - s) % stride == 0 && (k - s) / stride < kBlock) f((k - s) / stride, s, column);
  }
}

// Images that the outer caches do not hold are fetched two blocks ahead: pixels of a row are too far apart for the hardware to foresee them all.
// (Nearer images lose a tenth by it.)
constexpr int64_t kFarBytes = 24 << 20, kBlocksAhead = 2;
[[maybe_unused]] bool is_far(const Conv2dShape& z) {
  return z.n * (z.h * z.w + z.p * z.q) * z.c * static_cast<int64_t>(size_of(z.dtype)) > kFarBytes;
}
// Out of line: a block's registers are all taken.
template <int write, class S> [[gnu::noinline]] void prefetch_ahead(const S* x, int64_t pixels, int64_t step) {
  x += kBlocksAhead * pixels * step;
  for (int64_t i = 0; i < pixels; ++i) __builtin_prefetch(x + i * step, write);
}
// The lines that no block of the row above has read.
template <class S> void prefetch_new(const Line<S>* lines, int64_t count, int64_t stride_h, int64_t pixels, int64_t step, int64_t c) {
  for (int64_t l = std::max<int64_t>(count - stride_h, 0); l < count; ++l) prefetch_ahead<0>(lines[l].x + c, pixels, step);
}

// Taps along an axis in the order in which they lie in memory.
inline Taps ascending(const Taps& t) {
  if (t.offset_step >= 0) return t;
  return {t.count, t.first + (t.count - 1) * t.step, -t.step, t.stride, t.shift(t.count - 1), -t.offset_step};
}

// What a block reads: the lines of outputs (i, j), ..., (i, j + outputs - 1) of image n.
template <class S> struct Window {
  Images<const S> in;
  Taps rows, columns;
  int64_t filter_width;
  int64_t taps = 1, step = 1;  // of a line: its taps, and pixels from one column to the next

  // Tap by tap wherever there is no kernel for the row.
  Window(const Images<const S>& in, const Taps& rows, const Taps& columns, int64_t filter_width, bool by_tap)
      : in(in), rows(ascending(rows)), columns(ascending(columns)), filter_width(filter_width) {
    if (!by_tap && this->columns.offset_step == 1) with_window(columns.count, columns.stride, [&](auto known, auto) { taps = known; });
    if (taps == 1) step = columns.stride;
  }
  int64_t stride() const { return taps == 1 ? 1 : columns.stride; }

  int64_t steps(int64_t pixels) const { return step == 1 ? pixels : ceil_div(pixels, step); }

  int64_t lines(int64_t n, int64_t i, int64_t j, int64_t outputs, Line<S>* to) const {
    int64_t count = 0;
    for (int64_t r = 0; r < rows.count; ++r) {
      const int64_t h = i * rows.stride + rows.shift(r);
      if (h < 0 || h >= in.h) continue;
      for (int64_t s = 0; s < columns.count; s += taps) {
        const int64_t w = j * columns.stride + columns.shift(s), width = (outputs - 1) * stride() + taps;
        const int64_t lo = w >= 0 ? 0 : steps(-w), hi = w < in.w ? smaller(width, steps(in.w - w)) : 0;
        if (lo < hi) to[count++] = {in.at(n, h, w), lo, hi, rows.filter(r) * filter_width + columns.filter(s)};
      }
    }
    return count;
  }
};

}  // namespace
}  // namespace tapetum::kernels
