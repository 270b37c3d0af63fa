// Scaled dot-product attention (Vaswani et al., "Attention is all you need", 2017) of query rows q_i over key rows k_j, for every head:
//   s_ij = scale q_i . k_j + mask_ij,  p_ij = exp(s_ij - lse_i),  lse_i = log sum_j exp(s_ij),  out_i = sum_j f_ij p_ij v_j
// with dropout's factors f. A pair that takes no part has s = -infinity; a row without any key has out = 0, no gradients, and lse = +infinity,
// which makes all its p zero. NaN stays in its row, except that a NaN or infinity in v may or may not be seen where its weight is 0.
#pragma once
#include "kernels/random_call.h"
#include "kernels/slot.h"
#include "kernels/work.h"

namespace tapetum::kernels {

// A tensor [B, H, T, D]; each row of D elements is dense.
template <class Pointer> struct Heads {
  Pointer data = nullptr;
  int64_t batch = 0, head = 0, row = 0;  // element strides
};

struct AttentionMask {
  const void* data = nullptr;  // null: none
  bool additive = false;       // in the problem's dtype, or bool: true where a pair takes part
  int64_t batch = 0, head = 0, row = 0, column = 0;
};

// Weight (i, j) of head h is element ((b H + h) Tq + i) Tk + j of a Bernoulli call of kernels/random.h.
struct AttentionDropout {
  double keep = 1;  // probability
  RandomCall call;
};

struct AttentionProblem {
  int64_t batch, heads, queries, keys, width, value_width;
  DType dtype;  // floating
  double scale;
  bool causal;  // only j <= i takes part
  Heads<const void*> q, k, v;
  AttentionMask mask;
  AttentionDropout dropout;
};

struct AttentionForwardArgs {
  AttentionProblem problem;
  Heads<void*> out;
  void* lse;  // dense [B, H, Tq], for the gradient: f64, or f32 for every other dtype
};

// With dp_ij = gy_i . v_j and delta_i = gy_i . out_i:  ds_ij = p_ij (f_ij dp_ij - delta_i),
// gv_j = sum_i f_ij p_ij gy_i,  gq_i = scale sum_j ds_ij k_j,  gk_j = scale sum_i ds_ij q_i
struct AttentionBackwardArgs {
  AttentionProblem problem;
  Heads<const void*> out, gy;
  const void* lse;
  Heads<void*> gq, gk, gv;
};

// Pairs of a query and a key, without those that causality rules out; a mask's are counted.
inline double pairs_of(const AttentionProblem& p) {
  const auto queries = static_cast<double>(p.queries), keys = static_cast<double>(p.keys), heads = static_cast<double>(p.batch * p.heads);
  if (!p.causal) return heads * queries * keys;
  const double growing = p.queries < p.keys ? queries : keys;  // query i sees i + 1 keys, until it sees all
  return heads * (growing * (growing + 1) / 2 + (queries - growing) * keys);
}

// Products alone. Forward q.k and p v; backward q.k again, gy.v, and the three gradients.
inline Work work_of(const AttentionForwardArgs& a) {
  return {2 * pairs_of(a.problem) * static_cast<double>(a.problem.width + a.problem.value_width), 0};
}
inline Work work_of(const AttentionBackwardArgs& a) {
  return {2 * pairs_of(a.problem) * static_cast<double>(3 * a.problem.width + 2 * a.problem.value_width), 0};
}

extern const KernelSlot<AttentionForwardArgs> attention_forward;
extern const KernelSlot<AttentionBackwardArgs> attention_backward;

}  // namespace tapetum::kernels
