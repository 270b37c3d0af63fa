// Tiles of scores, for attention forward and backward: block by block of queries and keys, so that never T x T numbers are in memory.
#pragma once
#include "kernels/attention_elements.h"
#include "kernels/cpu/constant.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/math.h"
#include "kernels/cpu/transpose.h"

namespace tapetum::kernels {
namespace {

// Of a tile at most: 100 KB of scores in f32, and panels of as many keys, stay in L2.
constexpr int64_t kTileQueries = 96, kTileKeys = 256;
constexpr int64_t kTileLine = kTileKeys + kGap<float>;
// Equal blocks, of whole tiles of the matrix product.
inline int64_t query_block(int64_t queries) { return round_up(ceil_div(queries, ceil_div(queries, kTileQueries)), 12); }
inline int64_t key_block(int64_t keys) { return round_up(ceil_div(keys, ceil_div(keys, kTileKeys)), 32); }

// Rows [count, width] as b of a product (gemm.h), in panels of the rows: a [m, count] b is then sums over the rows.
template <class T> int64_t row_panels_size(int64_t count, int64_t width) { return count * round_up(width, kTileColumns<T>); }
template <class T> void pack_rows(const T* x, int64_t row, int64_t count, int64_t width, T* to) {
  constexpr int64_t columns = kTileColumns<T>;
  for (int64_t first = 0; first < width; first += columns)
    for (int64_t i = 0; i < count; ++i, to += columns)
      for (int64_t c = 0; c < columns; c += Vec<T>::lanes) load_part(x + i * row + first + c, width - first - c).store(to + c);
}

// The same rows transposed, [width, count]: a [m, width] b is then products of each row of a with each row.
template <class T> int64_t transposed_panels_size(int64_t count, int64_t width) { return round_up(count, kTileColumns<T>) * width; }
template <class T> void pack_transposed(const T* x, int64_t row, int64_t count, int64_t width, T* to) {
  constexpr int64_t columns = kTileColumns<T>;
  for (int64_t first = 0; first < count; first += columns, to += width * columns) {
    const int64_t n = smaller(columns, count - first);
    copy_transposed(n, width, x + first * row, row, to, columns);
    for (int64_t d = 0; d < width; ++d)
      for (int64_t c = n; c < columns; ++c) to[d * columns + c] = 0;
  }
}

// c [m, n] = a b^T for rows of a and n rows from `first` on of what was packed with pack_transposed.
template <class T> void products(const T* a, int64_t a_row, const T* panels, int64_t first, int64_t width, int64_t m, int64_t n, T* c) {
  multiply(Product<T>{m, n, width, a, a_row, 1, panels + first * width, width * kTileColumns<T>, kTileColumns<T>, nullptr, 0, c, kTileLine});
}

// c [m, width] += a [m, depth] b for rows of b from `first` on, of `count` packed with pack_rows.
template <class T> struct Operand {
  const T* data;
  int64_t row, step;
};
template <class T>
void add_sums(const Operand<T>& a, const T* panels, int64_t count, int64_t first, int64_t width, int64_t m, int64_t depth, T* c, int64_t c_row) {
  constexpr int64_t columns = kTileColumns<T>;
  multiply(Product<T>{m, width, depth, a.data, a.row, a.step, panels + first * columns, count * columns, columns, c, c_row, c, c_row});
}

// Scores of query i and keys [first, first + n) in place of their products; -infinity up to the end of the last register.
template <class T> void score_row(const Scores<T, T>& score, int64_t i, int64_t first, int64_t n, T* s) {
  using V = Vec<T>;
  constexpr T none = -std::numeric_limits<T>::infinity();
  const int64_t met = !score.causal || i + 1 - first >= n ? n : i + 1 > first ? i + 1 - first : 0;
  for (int64_t j = 0; j < met; j += V::lanes) (V::load(s + j) * V(score.scale)).store(s + j);
  for (int64_t j = met; j < round_up(n, V::lanes); ++j) s[j] = none;
  const int64_t at = i * score.row + first * score.column;
  const auto mask = [=, &score](auto step) {
    for (int64_t j = 0; score.allowed && j < met; ++j) s[j] = score.allowed[at + j * step] ? s[j] : none;
    for (int64_t j = 0; score.added && j < met; ++j) s[j] += score.added[at + j * step];
  };
  score.column == 1 ? mask(Constant<1>()) : mask(score.column);
}

template <class T> void fill_rows(T* x, int64_t row, int64_t count, int64_t width) {
  for (int64_t i = 0; i < count; ++i)
    for (int64_t d = 0; d < width; ++d) x[i * row + d] = 0;
}

}  // namespace
}  // namespace tapetum::kernels
