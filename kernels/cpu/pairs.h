// Factors of bf16, for units whose products take two neighbours of the depth at once (vdpbf16ps, AMX): both lie side by side in memory as a
// pair. What is packed for them has a depth that is a multiple of kDepthStep, zeros beyond the true one.
#pragma once
#include <algorithm>

#include "kernels/cpu/product.h"
#include "kernels/cpu/transpose.h"

namespace tapetum::kernels {
namespace {

using PairBlock = Vec<float>[16];  // 16 x 16 pairs in registers: lanes that nobody computes with

// Two lines as pairs of their elements below n; no line: zeros.
inline Vec<float> pair_up(const BFloat16* even, const BFloat16* odd, int64_t n) {
  const auto line = [&](const BFloat16* p) {
    return p ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n), p)) : _mm512_setzero_si512();
  };
  return Vec<float>::Raw(_mm512_castsi512_ps(_mm512_or_si512(line(even), _mm512_slli_epi32(line(odd), 16))));
}
// Elements below n of a line, two in a lane.
inline __mmask32 first_elements(int64_t n) { return n < 32 ? (1u << std::max<int64_t>(n, 0)) - 1 : ~0u; }
inline Vec<float> load_pairs(const BFloat16* p, int64_t n) {
  return Vec<float>::Raw(_mm512_castsi512_ps(_mm512_maskz_loadu_epi16(first_elements(n), p)));
}
inline void store_pairs(Vec<float> v, BFloat16* p) { _mm512_storeu_si512(p, _mm512_castps_si512(__m512(v.raw))); }

inline void copy_line(BFloat16* to, const BFloat16* from, int64_t n) {
  for (int64_t i = 0; i < n; i += 32)
    _mm512_mask_storeu_epi16(to + i, first_elements(n - i), _mm512_maskz_loadu_epi16(first_elements(n - i), from + i));
}

// Element (i, l) of [lines, depth] lies at from[i * line + l * step]. Pairs l and lines i, 16 of each from (first, at): a register for each pair.
inline void load_block(const BFloat16* from, int64_t line, int64_t step, int64_t lines, int64_t depth, int64_t first, int64_t at, PairBlock& pairs) {
  const int64_t n = std::min<int64_t>(16, lines - first);
  if (step == 1) {
    for (int64_t i = 0; i < 16; ++i) pairs[i] = i < n ? load_pairs(from + (first + i) * line + at, depth - at) : Vec<float>(0);
    return transpose(pairs);
  }
  BFloat16 gathered[2][16];
  const auto element_line = [&](int64_t l, BFloat16* to) -> const BFloat16* {
    if (l >= depth) return nullptr;
    const BFloat16* p = from + first * line + l * step;
    if (line == 1) return p;
    for (int64_t i = 0; i < n; ++i) to[i] = p[i * line];
    return to;
  };
  for (int64_t l = 0; l < 16; ++l) pairs[l] = pair_up(element_line(at + 2 * l, gathered[0]), element_line(at + 2 * l + 1, gathered[1]), n);
}

// The right factor: panels of `columns` lines, each [depth / 2][columns][2], the last one padded with zeros.
template <int64_t columns> void pack_pair_panels(const BFloat16* from, int64_t line, int64_t step, int64_t lines, int64_t depth, BFloat16* to) {
  const int64_t padded = round_up(depth, kDepthStep<BFloat16>);
  for (int64_t first = 0; first < lines; first += columns, to += padded * columns)
    for (int64_t at = 0; at < padded; at += kDepthStep<BFloat16>)
      for (int64_t i = 0; i < columns; i += 16) {
        PairBlock pairs;
        load_block(from, line, step, lines, depth, first + i, at, pairs);
        for (int64_t l = 0; l < 16; ++l) store_pairs(pairs[l], to + (at + 2 * l) * columns + 2 * i);
      }
}

// The left factor: lines of the depth, each at to + i * to_line.
inline void pack_pair_lines(const BFloat16* from, int64_t line, int64_t step, int64_t lines, int64_t depth, BFloat16* to, int64_t to_line) {
  for (int64_t at = 0; at < depth; at += kDepthStep<BFloat16>)
    for (int64_t first = 0; first < lines; first += 16) {
      PairBlock block;
      const int64_t n = std::min<int64_t>(16, lines - first);
      if (step == 1) {
        for (int64_t i = 0; i < n; ++i) block[i] = load_pairs(from + (first + i) * line + at, depth - at);
      } else {
        load_block(from, line, step, lines, depth, first, at, block);
        transpose(block);
      }
      for (int64_t i = 0; i < n; ++i) store_pairs(block[i], to + (first + i) * to_line + at);
    }
}

}  // namespace
}  // namespace tapetum::kernels
