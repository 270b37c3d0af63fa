// Square blocks of registers transposed in registers.
#pragma once
#include <utility>

#include "kernels/cpu/vec.h"

namespace tapetum::kernels {
namespace {

// Lanes l of a and b with l's bit `step` unset, and those with it set, side by side: two rows after one round.
template <class V, int step, bool set, int... l> V exchange(V a, V b, std::integer_sequence<int, l...>) {
  typedef int32_t Index __attribute__((vector_size(TAPETUM_VECTOR_BYTES)));
  constexpr int lanes = static_cast<int>(V::lanes), shift = set ? step : 0;
  return V(__builtin_shuffle(a.raw, b.raw, Index{(l & step ? lanes + l - step + shift : l + shift)...}));
}

// rows[i] lane j <-> rows[j] lane i. Round by round the off-diagonal quarters of blocks of 2, 4, 8 ... change places.
template <int step = 1> void transpose(Vec<float> (&rows)[Vec<float>::lanes]) {
  using V = Vec<float>;
  constexpr int lanes = static_cast<int>(V::lanes);
  using Lanes = std::make_integer_sequence<int, lanes>;
  if constexpr (step < lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) {
      if (i & step) continue;
      const V a = rows[i], b = rows[i + step];
      rows[i] = exchange<V, step, false>(a, b, Lanes());
      rows[i + step] = exchange<V, step, true>(a, b, Lanes());
    }
    transpose<2 * step>(rows);
  }
}

// to[j * line + i] = x[i * row + j] for i < rows, j < columns: whole blocks in registers, the rest one by one.
template <class S, class T> void copy_transposed(int64_t rows, int64_t columns, const S* x, int64_t row, T* to, int64_t line) {
  constexpr int64_t lanes = Vec<float>::lanes;
  const int64_t whole_rows = std::is_same_v<T, float> ? rows / lanes * lanes : 0, whole_columns = columns / lanes * lanes;
  if constexpr (std::is_same_v<T, float>)
    for (int64_t i = 0; i < whole_rows; i += lanes)
      for (int64_t j = 0; j < whole_columns; j += lanes) {
        Vec<float> block[lanes];
        for (int64_t l = 0; l < lanes; ++l) block[l] = Vec<float>::load(x + (i + l) * row + j);
        transpose(block);
        for (int64_t l = 0; l < lanes; ++l) block[l].store(to + (j + l) * line + i);
      }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j) to[j * line + i] = cast<T>(x[i * row + j]);
}

}  // namespace
}  // namespace tapetum::kernels
