// Lines of a dense tensor in registers, whatever the dimension that they run along. A kernel is written once over a block of lines:
//   Across: as many lines as a register has lanes side by side, a step is one element of each; sums and maxima need no work
//   Along:  one line, a step is a register of its neighbouring elements; sums and maxima go over the lanes
// Short lines go through tiles and are read Across: dense ones (the classes of a channels_last image) must be transposed, and of far-apart
// ones (of a row-major image) each cache line is fetched once.
#pragma once
#include "kernels/cpu/constant.h"
#include "kernels/cpu/vec.h"
#include "kernels/lines.h"
#include "kernels/round.h"

namespace tapetum::kernels {
namespace {

// (std::array would be shared between the instruction sets.)
template <class P, int N> struct Pointers {
  P at[N];
  P operator[](int i) const { return at[i]; }
  Pointers operator+(int64_t n) const {
    Pointers moved = *this;
    for (P& p : moved.at) p += n;
    return moved;
  }
};

template <class T> struct Across {
  using V = Vec<T>;
  int64_t length, stride, lines;  // lines <= V::lanes

  int64_t steps() const { return length; }
  V load(const T* x, int64_t step, T) const { return V::load(x + step * stride, lines); }
  void store(V v, T* y, int64_t step) const { v.store(y + step * stride, lines); }
  int64_t at(int64_t i, int64_t line) const { return i * stride + line; }
  V sum(V v) const { return v; }
  V max(V v) const { return v; }
  V load_per_line(const T* p) const { return V::load(p, lines); }
  void store_per_line(V v, T* p) const { v.store(p, lines); }
  V weights(const T* per_element, int64_t step) const { return V(per_element[step]); }
};

template <class T> struct Along {
  using V = Vec<T>;
  int64_t length;
  static constexpr int64_t lines = 1;

  int64_t steps() const { return ceil_div(length, V::lanes); }
  // Past the end of the line: `fill`.
  V load(const T* x, int64_t step, T fill) const {
    const int64_t i = step * V::lanes;
    return i + V::lanes <= length ? V::load(x + i) : V::load(x + i, length - i).keep(length - i, fill);
  }
  void store(V v, T* y, int64_t step) const { v.store(y + step * V::lanes, length - step * V::lanes); }
  int64_t at(int64_t i, int64_t) const { return i; }
  V sum(V v) const { return V(v.sum()); }
  V max(V v) const { return V(v.max()); }
  V load_per_line(const T* p) const { return V(*p); }
  void store_per_line(V v, T* p) const { *p = v.raw[0]; }
  V weights(const T* per_element, int64_t step) const { return V::load(per_element + step * V::lanes, length - step * V::lanes); }
};

// Units of work: neighbouring lines of about 16384 elements, none across an outer index. A multiple of every instruction set's lanes.
struct LineUnits {
  explicit LineUnits(const LineShape& s)
      : rows(s.inner == 1 ? s.outer : s.inner),
        lines((16384 / (s.length + 1) + 16) / 16 * 16),
        per_group(ceil_div(rows, lines)),
        count((s.inner == 1 ? 1 : s.outer) * per_group) {}
  int64_t rows, lines, per_group, count;
};

constexpr int64_t kShortLine = 64;
constexpr int64_t kTileElements = 4096;  // of 16 kB in f32
constexpr int64_t kFewRows = 8;          // that far-apart lines may touch at once without pushing each other out of an 8-way cache

// f(count, length, i) for groups of `count` elements of a line, from i on: known counts, and lengths, let whole registers be transposed.
template <class F> void for_each_group(int64_t length, F f) {
  if (length > 1 && length < 5) return with_known(length, [&](auto known) { f(known, known, 0); });
  int64_t i = 0;
  for (; i + 4 <= length; i += 4) f(Constant<4>(), length, i);
  for (; i < length; ++i) f(Constant<1>(), length, i);
}

// Lines side by side: element i of line l is at [i * lines + l]. In memory they are so too, an element_stride apart, or (0) one after the other.
template <class T> struct Tile {
  T at[kTileElements];

  void read(const T* __restrict x, int64_t length, int64_t lines, int64_t n, int64_t element_stride) {
    T* __restrict tile = at;
    for (int64_t i = 0; element_stride && i < length; ++i)
      for (int64_t l = 0; l < n; ++l) tile[i * lines + l] = x[i * element_stride + l];
    if (element_stride) return;
    for_each_group(length, [=](auto count, auto step, int64_t first) {
      for (int64_t l = 0; l < n; ++l)
        for (int64_t i = 0; i < count; ++i) tile[(first + i) * lines + l] = x[l * step + first + i];
    });
  }
  void write(T* __restrict y, int64_t length, int64_t lines, int64_t n, int64_t element_stride) const {
    const T* __restrict tile = at;
    for (int64_t i = 0; element_stride && i < length; ++i)
      for (int64_t l = 0; l < n; ++l) y[i * element_stride + l] = tile[i * lines + l];
    if (element_stride) return;
    for_each_group(length, [=](auto count, auto step, int64_t first) {
      for (int64_t l = 0; l < n; ++l)
        for (int64_t i = 0; i < count; ++i) y[l * step + first + i] = tile[(first + i) * lines + l];
    });
  }
};

// f(block, number of its first line, in, out) for `count` lines through tiles; first is the number of the first one.
template <class T, int I, int O, class F>
void in_tiles(int64_t length, int64_t first, int64_t count, int64_t element_stride, Pointers<const T*, I> in, Pointers<T*, O> out, F f) {
  constexpr int64_t lanes = Vec<T>::lanes;
  const int64_t lines = smaller(256, kTileElements / (length + !length) / 16 * 16);  // a multiple of every instruction set's lanes
  Tile<T> tiles[I + O];
  Pointers<const T*, I> tile_in;
  Pointers<T*, O> tile_out;
  for (int j = 0; j < I; ++j) tile_in.at[j] = tiles[j].at;
  for (int j = 0; j < O; ++j) tile_out.at[j] = tiles[I + j].at;
  for (int64_t begin = 0; begin < count; begin += lines) {
    const int64_t n = smaller(lines, count - begin), shift = element_stride ? begin : begin * length;
    for (int j = 0; j < I; ++j) tiles[j].read(in[j] + shift, length, lines, n, element_stride);
    for (int64_t l = 0; l < n; l += lanes) f(Across<T>{length, lines, smaller(lanes, n - l)}, first + begin + l, tile_in + l, tile_out + l);
    for (int j = 0; j < O; ++j) tiles[I + j].write(out[j] + shift, length, lines, n, element_stride);
  }
}

// f(block, number of its first line, in, out) for the blocks of one unit; in and out point at the block's first elements.
template <class T, int I, int O, class F>
void for_each_block(const LineShape& s, const LineUnits& units, int64_t unit, Pointers<const T*, I> in, Pointers<T*, O> out, F f) {
  constexpr int64_t lanes = Vec<T>::lanes;
  const int64_t group = unit / units.per_group, begin = unit % units.per_group * units.lines, end = smaller(begin + units.lines, units.rows);
  if (s.inner > 1) {
    const int64_t base = group * s.length * s.inner, first = group * s.inner;
    if (s.length * (I + O) > kFewRows && s.length <= kShortLine)
      return in_tiles<T, I, O>(s.length, first + begin, end - begin, s.inner, in + (base + begin), out + (base + begin), f);
    for (int64_t i = begin; i < end; i += lanes)
      f(Across<T>{s.length, s.inner, smaller(lanes, end - i)}, first + i, in + (base + i), out + (base + i));
  } else if (s.length <= kShortLine) {
    in_tiles<T, I, O>(s.length, begin, end - begin, 0, in + begin * s.length, out + begin * s.length, f);
  } else {
    for (int64_t i = begin; i < end; ++i) f(Along<T>{s.length}, i, in + i * s.length, out + i * s.length);
  }
}

}  // namespace
}  // namespace tapetum::kernels
