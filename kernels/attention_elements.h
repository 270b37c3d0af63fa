// One head of an attention problem, and its rules for one pair of query and key. (constexpr: device code may call them.)
#pragma once
#include <limits>

#include "kernels/attention.h"

namespace tapetum::kernels {
namespace {

// Heads are counted over the whole batch.
[[maybe_unused]] constexpr int64_t head_count(const AttentionProblem& p) { return p.batch * p.heads; }

template <class T> constexpr const T* rows_of(const Heads<const void*>& x, const AttentionProblem& p, int64_t head) {
  return static_cast<const T*>(x.data) + head / p.heads * x.batch + head % p.heads * x.head;
}
template <class T> constexpr T* rows_of(const Heads<void*>& x, const AttentionProblem& p, int64_t head) {
  return static_cast<T*>(x.data) + head / p.heads * x.batch + head % p.heads * x.head;
}

// Score (i, j) from the product q_i . k_j; an additive mask has elements S.
template <class S, class T> struct Scores {
  T scale;
  bool causal;
  const bool* allowed;  // null: no such mask
  const S* added;
  int64_t row, column;

  constexpr Scores(const AttentionProblem& p, int64_t head)
      : scale(static_cast<T>(p.scale)), causal(p.causal), allowed(nullptr), added(nullptr), row(p.mask.row), column(p.mask.column) {
    const int64_t at = head / p.heads * p.mask.batch + head % p.heads * p.mask.head;
    if (!p.mask.data) return;
    if (p.mask.additive)
      added = static_cast<const S*>(p.mask.data) + at;
    else
      allowed = static_cast<const bool*>(p.mask.data) + at;
  }
  constexpr T operator()(int64_t i, int64_t j, T product) const {
    if ((causal && j > i) || (allowed && !allowed[i * row + j * column])) return -std::numeric_limits<T>::infinity();
    return product * scale + (added ? cast<T>(added[i * row + j * column]) : T(0));
  }
};

// How many keys query i may meet.
[[maybe_unused]] constexpr int64_t keys_of(const AttentionProblem& p, int64_t i) { return p.causal && i < p.keys ? i + 1 : p.keys; }

// Factor of weight (i, j): 1 / keep or 0. Remembers the last block of four random words.
template <class T> class Dropout {
 public:
  constexpr Dropout(const AttentionProblem& p, int64_t head)
      : call_(p.dropout.call.resolved()),
        first_(head * p.queries * p.keys),
        keys_(p.keys),
        below_(static_cast<uint32_t>(p.dropout.keep * 0x1p24)),
        factor_(static_cast<T>(1 / p.dropout.keep)) {
    below_ += below_ < p.dropout.keep * 0x1p24;  // word 2^-24 < keep
  }
  constexpr T operator()(int64_t i, int64_t j) {
    const int64_t at = first_ + i * keys_ + j;
    if (at / 4 != block_) words_ = philox(call_, static_cast<uint64_t>(block_ = at / 4));
    return (words_.at[at % 4] >> 8) < below_ ? factor_ : T(0);
  }

 private:
  RandomCall call_;
  int64_t first_, keys_, block_ = -1;
  uint32_t below_;  // of 2^24
  T factor_;
  PhiloxWords words_{};
};
[[maybe_unused]] constexpr bool has_dropout(const AttentionProblem& p) { return p.dropout.keep != 1; }

}  // namespace
}  // namespace tapetum::kernels
