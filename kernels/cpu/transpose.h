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

}  // namespace
}  // namespace tapetum::kernels
