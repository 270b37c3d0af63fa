// Lines of a dense tensor in registers, whatever the dimension that they run along. A kernel is written once over a block of lines:
//   Across: as many lines as a register has lanes side by side, a step is one element of each; sums and maxima need no work
//   Along:  one line, a step is a register of its neighbouring elements; sums and maxima go over the lanes
// Short dense lines (the classes of a channels_last image) are transposed into a tile and read Across.
#pragma once
#include "kernels/cpu/vec.h"
#include "kernels/lines.h"

namespace tapetum::kernels {
namespace {

// (std::array and std::min would be functions shared between the instruction sets.)
template <class P, int N> struct Pointers {
  P at[N];
  P operator[](int i) const { return at[i]; }
  Pointers operator+(int64_t n) const {
    Pointers moved = *this;
    for (P& p : moved.at) p += n;
    return moved;
  }
};
inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

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
  V weights(const T* per_element, int64_t step) const { return V(per_element[step]); }
};

template <class T> struct Along {
  using V = Vec<T>;
  int64_t length;
  static constexpr int64_t lines = 1;

  int64_t steps() const { return (length + V::lanes - 1) / V::lanes; }
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
  V weights(const T* per_element, int64_t step) const { return V::load(per_element + step * V::lanes, length - step * V::lanes); }
};

// Units of work: neighbouring lines of about 16384 elements, none across an outer index. A multiple of every instruction set's lanes.
struct LineUnits {
  explicit LineUnits(const LineShape& s)
      : rows(s.inner == 1 ? s.outer : s.inner),
        lines((16384 / (s.length + 1) + 16) / 16 * 16),
        per_group((rows + lines - 1) / lines),
        count((s.inner == 1 ? 1 : s.outer) * per_group) {}
  int64_t rows, lines, per_group, count;
};

constexpr int64_t kShortLine = 64;

// Lines first to first + n - 1, dense and at most kShortLine long, through tiles with the lines side by side.
template <class T, int I, int O, class F>
void in_tiles(T (&tiles)[I + O][kShortLine * Vec<T>::lanes], int64_t length, int64_t first, int64_t n, Pointers<const T*, I> in, Pointers<T*, O> out,
              F f) {
  constexpr int64_t lanes = Vec<T>::lanes;
  Pointers<const T*, I> tile_in;
  Pointers<T*, O> tile_out;
  for (int j = 0; j < I; ++j) {
    for (int64_t i = 0; i < length; ++i)
      for (int64_t l = 0; l < n; ++l) tiles[j][i * lanes + l] = in[j][l * length + i];
    tile_in.at[j] = tiles[j];
  }
  for (int j = 0; j < O; ++j) tile_out.at[j] = tiles[I + j];
  f(Across<T>{length, lanes, n}, first, tile_in, tile_out);
  for (int j = 0; j < O; ++j)
    for (int64_t l = 0; l < n; ++l)
      for (int64_t i = 0; i < length; ++i) out[j][l * length + i] = tiles[I + j][i * lanes + l];
}

// f(block, number of its first line, in, out) for the blocks of one unit; in and out point at the block's first elements.
template <class T, int I, int O, class F>
void for_each_block(const LineShape& s, const LineUnits& units, int64_t unit, Pointers<const T*, I> in, Pointers<T*, O> out, F f) {
  constexpr int64_t lanes = Vec<T>::lanes;
  const int64_t group = unit / units.per_group, begin = unit % units.per_group * units.lines, end = smaller(begin + units.lines, units.rows);
  if (s.inner > 1) {
    const int64_t base = group * s.length * s.inner;
    for (int64_t i = begin; i < end; i += lanes)
      f(Across<T>{s.length, s.inner, smaller(lanes, end - i)}, group * s.inner + i, in + (base + i), out + (base + i));
  } else if (s.length > kShortLine) {
    for (int64_t i = begin; i < end; ++i) f(Along<T>{s.length}, i, in + i * s.length, out + i * s.length);
  } else {
    T tiles[I + O][kShortLine * lanes] = {};
    for (int64_t i = begin; i < end; i += lanes)
      in_tiles<T, I, O>(tiles, s.length, i, smaller(lanes, end - i), in + i * s.length, out + i * s.length, f);
  }
}

}  // namespace
}  // namespace tapetum::kernels
