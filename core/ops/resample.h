// Linear maps of planes that are separable and sparse, as ops: a rule names the op and gives its two matrices; the op and its adjoint are
// each other's gradient. (For the ops' own files.)
//
//   struct BlurRule {
//     static constexpr OpInfo info{"blur"}, adjoint{"blur_adjoint"};
//     struct Options { Size2 in, out; ... fields() };
//     static SparseRows rows(const Options&);      // [out.h, in.h]
//     static SparseRows columns(const Options&);   // [out.w, in.w]
//   };
#pragma once
#include <vector>

#include "core/autograd/apply.h"
#include "core/size2.h"

namespace tapetum {

// A sparse matrix, written row by row.
struct SparseRows {
  int64_t columns;
  std::vector<int32_t> start{0}, index{};
  std::vector<double> weight{};

  void add(int64_t column, double w) {
    index.push_back(static_cast<int32_t>(column));
    weight.push_back(w);
  }
  void end_row() { start.push_back(static_cast<int32_t>(index.size())); }
  SparseRows transposed() const;
};

// x [N, C, H, W] -> [N, C, rows, rows of `columns`]
Tensor resample(const Tensor& x, const SparseRows& rows, const SparseRows& columns);

template <class Rule> struct ResampleAdjointOp;

template <class Rule> struct ResampleOp {
  static constexpr OpInfo info = Rule::info;
  using Options = typename Rule::Options;
  static Tensor forward(Context&, const Options& o, const Tensor& x) { return resample(x, Rule::rows(o), Rule::columns(o)); }
  static Gradients backward(const Context&, const Options& o, const Tensor& gy) { return {apply<ResampleAdjointOp<Rule>>(o, gy)}; }
};

template <class Rule> struct ResampleAdjointOp {
  static constexpr OpInfo info = Rule::adjoint;
  using Options = typename Rule::Options;
  static Tensor forward(Context&, const Options& o, const Tensor& gy) {
    return resample(gy, Rule::rows(o).transposed(), Rule::columns(o).transposed());
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& g) { return {apply<ResampleOp<Rule>>(o, g)}; }
};

}  // namespace tapetum
