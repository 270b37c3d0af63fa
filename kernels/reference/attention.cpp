// Row by row, by the formulas of kernels/attention.h.
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/attention_elements.h"
#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class Args> bool supports(const Args& a) { return is_compute(a.problem.dtype); }

template <class T> double dot(const T* a, const T* b, int64_t n) {
  double sum = 0;
  for (int64_t d = 0; d < n; ++d) sum += double{a[d]} * b[d];
  return sum;
}

// s_i, and whether any key takes part.
template <class T> bool score_row(const AttentionProblem& p, int64_t head, int64_t i, std::vector<double>& s) {
  const T *q = rows_of<T>(p.q, p, head) + i * p.q.row, *k = rows_of<T>(p.k, p, head);
  const Scores<T, double> score(p, head);
  for (int64_t j = 0; j < p.keys; ++j) s[j] = score(i, j, dot(q, k + j * p.k.row, p.width));
  return std::any_of(s.begin(), s.end(), [](double x) { return x != -kInfinity; });
}

template <class T> void forward_row(const AttentionForwardArgs& a, int64_t head, int64_t i, std::vector<double>& s) {
  const AttentionProblem& p = a.problem;
  const T* v = rows_of<T>(p.v, p, head);
  T *out = rows_of<T>(a.out, p, head) + i * a.out.row, &lse = static_cast<T*>(a.lse)[head * p.queries + i];
  std::fill(out, out + p.value_width, T(0));
  lse = std::numeric_limits<T>::infinity();
  if (!score_row<T>(p, head, i, s)) return;
  const double top = *std::max_element(s.begin(), s.end());
  double sum = 0;
  for (double x : s) sum += std::exp(x - top);
  lse = static_cast<T>(top + std::log(sum));
  Dropout<double> dropout(p, head);
  for (int64_t j = 0; j < p.keys; ++j) s[j] = std::exp(s[j] - top) / sum * dropout(i, j);
  for (int64_t d = 0; d < p.value_width; ++d) {
    double y = 0;
    for (int64_t j = 0; j < p.keys; ++j) y += s[j] * v[j * p.v.row + d];
    out[d] = static_cast<T>(y);
  }
}

Status forward(const AttentionForwardArgs& a, Workspace&) {
  const AttentionProblem& p = a.problem;
  with_compute_type(p.dtype, [&]<class T>() {
    std::vector<double> s(p.keys);
    for (int64_t head = 0; head < head_count(p); ++head)
      for (int64_t i = 0; i < p.queries; ++i) forward_row<T>(a, head, i, s);
  });
  return Status::ok;
}

// Row i's share of gk and gv, sums in double, and gq_i.
template <class T>
void backward_row(const AttentionBackwardArgs& a, int64_t head, int64_t i, std::vector<double>& s, std::vector<double>& gk, std::vector<double>& gv) {
  const AttentionProblem& p = a.problem;
  const T *q = rows_of<T>(p.q, p, head) + i * p.q.row, *k = rows_of<T>(p.k, p, head), *v = rows_of<T>(p.v, p, head);
  const T *out = rows_of<T>(a.out, p, head) + i * a.out.row, *gy = rows_of<T>(a.gy, p, head) + i * a.gy.row;
  const double lse = static_cast<const T*>(a.lse)[head * p.queries + i], delta = dot(gy, out, p.value_width);
  std::vector<double> gq(p.width);
  Dropout<double> dropout(p, head);
  if (score_row<T>(p, head, i, s))
    for (int64_t j = 0; j < p.keys; ++j) {
      const double weight = std::exp(s[j] - lse), factor = dropout(i, j);
      const double ds = p.scale * weight * (factor * dot(gy, v + j * p.v.row, p.value_width) - delta);
      for (int64_t d = 0; d < p.value_width; ++d) gv[j * p.value_width + d] += factor * weight * gy[d];
      for (int64_t d = 0; d < p.width; ++d) gq[d] += ds * k[j * p.k.row + d];
      for (int64_t d = 0; d < p.width; ++d) gk[j * p.width + d] += ds * q[d];
    }
  std::copy(gq.begin(), gq.end(), rows_of<T>(a.gq, p, head) + i * a.gq.row);
}

Status backward(const AttentionBackwardArgs& a, Workspace&) {
  const AttentionProblem& p = a.problem;
  with_compute_type(p.dtype, [&]<class T>() {
    std::vector<double> s(p.keys);
    for (int64_t head = 0; head < head_count(p); ++head) {
      std::vector<double> gk(p.keys * p.width), gv(p.keys * p.value_width);
      for (int64_t i = 0; i < p.queries; ++i) backward_row<T>(a, head, i, s, gk, gv);
      for (int64_t j = 0; j < p.keys; ++j) {
        std::copy_n(gk.begin() + j * p.width, p.width, rows_of<T>(a.gk, p, head) + j * a.gk.row);
        std::copy_n(gv.begin() + j * p.value_width, p.value_width, rows_of<T>(a.gv, p, head) + j * a.gv.row);
      }
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_reference){.name = "reference", .supports = supports, .run = forward};
TAPETUM_CANDIDATE(AttentionBackwardArgs, attention_backward_reference){.name = "reference", .supports = supports, .run = backward};

}  // namespace tapetum::kernels
