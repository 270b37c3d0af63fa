// Shapes and options that nobody thought of, for norms, softmax, losses and reductions: samples in one dtype and layout each, on every instruction
// set.
#include <catch2/catch.hpp>

#include "tests/ops/loss_cases.h"
#include "tests/ops/norm_cases.h"
#include "tests/ops/reduce_cases.h"
#include "tests/ops/samples.h"
#include "tests/ops/softmax_cases.h"

namespace tapetum::test {
namespace {

// Weight and bias of a norm: both, the first or none.
void draw_weights(Draw& d, std::vector<Shape>& shapes, const Shape& weight) {
  for (int64_t i = d.pick(0, 2); i > 0; --i) shapes.push_back(weight);
}
// A variance of few values may be small beside their squares, and magnifies the errors by as much.
constexpr int64_t kFewest = 12;

Case draw_batch_norm(Draw& d) {
  Shape x{d.size(33), d.size(kChannels)};
  for (int64_t i = d.one_of({0, 1, 2, 2, 2, 3}); i > 0; --i) x.push_back(d.size(kImageSize));
  std::vector<Shape> shapes{x};
  draw_weights(d, shapes, {x[1]});
  const auto activation = draw_activation(d, x.numel());
  const double eps = d.one_of({1e-5, 1e-3, 0.1});
  Case row = norm_act_row("batch_norm_act", shapes, [=](const auto& t) { return batch_norm_act_of(t, activation, eps); });
  row.flops = x.numel() / x[1] < kFewest ? kImpossible : pass_over(x);
  return row;
}

Case draw_group_norm(Draw& d) {
  const int64_t groups = d.size(33), channels = d.chance(0.2) ? 1 : d.size(33);
  Shape x{d.pick(1, 3), groups * channels};
  for (int64_t i = d.one_of({0, 1, 2, 2, 2, 3}); i > 0; --i) x.push_back(d.size(kImageSize));
  std::vector<Shape> shapes{x};
  draw_weights(d, shapes, {x[1]});
  const double eps = d.one_of({1e-5, 1e-3, 0.1});
  return {.name = "group_norm",
          .shapes = shapes,
          .op = [=](const auto& t) { return group_norm(t[0], groups, t.size() > 1 ? t[1] : Tensor(), t.size() > 2 ? t[2] : Tensor(), {.eps = eps}); },
          .slots = channel_norm_slots,
          .flops = x.numel() / (x[0] * groups) < kFewest ? kImpossible : pass_over(x)};
}

Case draw_layer_norm(Draw& d) {
  const Shape rows = d.shape(0, 2, kImageSize), line = d.shape(1, 2, 513);
  Shape x = rows;
  for (int64_t n : line) x.push_back(n);
  std::vector<Shape> shapes{x};
  draw_weights(d, shapes, line);
  const double eps = d.one_of({1e-5, 1e-3, 0.1});
  return {.name = "layer_norm",
          .shapes = shapes,
          .op = [=](const auto& t) { return layer_norm(t[0], line, t.size() > 1 ? t[1] : Tensor(), t.size() > 2 ? t[2] : Tensor(), {.eps = eps}); },
          .slots = layer_norm_slots,
          .flops = line.numel() < kFewest ? kImpossible : 4 * pass_over(x)};
}

Case draw_softmax(Draw& d) {
  const Shape x = d.shape(1, 4, kChannels);
  const int dim = static_cast<int>(d.pick(0, x.size() - 1));
  const bool logarithm = d.chance(0.5);
  return {.name = logarithm ? "log_softmax" : "softmax",
          .shapes = {x},
          .op = [=](const auto& t) { return logarithm ? log_softmax(t[0], dim) : softmax(t[0], dim); },
          .slots = logarithm ? log_softmax_slots : softmax_slots,
          .flat = x[dim] == 1,
          .flops = pass_over(x)};
}

Case draw_cross_entropy(Draw& d) {
  const Shape x = d.shape(2, 4, kChannels);
  Shape pixels{x[0]};
  for (int i = 2; i < x.size(); ++i) pixels.push_back(x[i]);
  const bool ignored = d.chance(0.3), weighted = d.chance(0.3);
  const CrossEntropyOptions o{.ignore_index = d.chance(0.2) ? 1 : -100,
                              .reduction = d.one_of({Reduction::mean, Reduction::sum, Reduction::none}),
                              .label_smoothing = d.chance(0.3) ? d.uniform(0, 0.5) : 0};
  return {.name = "cross_entropy",
          .shapes = {x},
          .op =
              [=](const auto& t) {
                CrossEntropyOptions options = o;
                if (weighted) options.weight = (arange(x[1], t[0].dtype()) / x[1] + 0.5).to(t[0].device());
                return cross_entropy(t[0], labels(t[0], pixels, x[1], ignored && o.ignore_index < 0), options);
              },
          .slots = cross_entropy_slots,
          .flops = x[1] == 1 ? kImpossible : pass_over(x)};
}

// Along which dimensions: all of `dims`, or `dim`, which is one of them.
struct Along {
  Shape dims;
  int dim;
  bool keepdim;
};
struct Reducer {
  const char* name;
  Tensor (*op)(const Tensor& x, const Along& a);
  std::vector<const kernels::SlotBase*> slots;
  int64_t fewest = 1, most = std::numeric_limits<int64_t>::max();  // values in each result
  bool flat = false;
};

const std::vector<Reducer> reducers = {
    {"sum", [](const Tensor& x, const Along& a) { return sum(x, a.dims, a.keepdim); }, {&kernels::sum_forward}},
    {"mean", [](const Tensor& x, const Along& a) { return mean(x, a.dims, a.keepdim); }, {&kernels::sum_forward}},
    {"var", [](const Tensor& x, const Along& a) { return var(x, a.dims, {.keepdim = a.keepdim}); }, {&kernels::sum_forward}, kFewest},
    {"prod", [](const Tensor& x, const Along& a) { return prod(x, a.dims, a.keepdim); }, {&kernels::prod_forward}, 1, 8},  // beyond, f16 ends
    {"amax", [](const Tensor& x, const Along& a) { return amax(x, a.dims, a.keepdim); }, {&kernels::amax_forward}},
    {"amin", [](const Tensor& x, const Along& a) { return amin(x, a.dims, a.keepdim); }, {&kernels::amin_forward}},
    {"argmax",
     [](const Tensor& x, const Along& a) { return argmax(round(x * 8), a.dim, a.keepdim); },
     {&kernels::argmax_forward},
     1,
     kChannels,
     true},
    {"argmin",
     [](const Tensor& x, const Along& a) { return argmin(round(x * 8), a.dim, a.keepdim); },
     {&kernels::argmin_forward},
     1,
     kChannels,
     true},
    {"max",
     [](const Tensor& x, const Along& a) { return max(x, a.dim, a.keepdim).values; },
     {&kernels::argmax_forward, &kernels::gather_forward, &kernels::scatter_add_forward}},
    {"cumsum", [](const Tensor& x, const Along& a) { return cumsum(x, a.dim); }, {&kernels::cumsum_forward}},
};

Case draw_reduction(Draw& d) {
  const Reducer& reducer = reducers[static_cast<size_t>(d.pick(0, std::ssize(reducers) - 1))];
  const Shape x = d.shape(1, 4, d.chance(0.2) ? 10000 : kChannels);
  Along along{.dims = {}, .dim = static_cast<int>(d.pick(0, x.size() - 1)), .keepdim = d.chance(0.5)};
  int64_t count = 1;
  for (int i = 0; i < x.size(); ++i)
    if (i == along.dim || d.chance(0.3)) along.dims.push_back(i), count *= x[i];
  return {.name = reducer.name,
          .shapes = {x},
          .op = [=](const auto& t) { return reducer.op(t[0], along); },
          .slots = reducer.slots,
          .flat = reducer.flat,
          .amplification = amplification_of_few(x.numel() / count),
          .flops = count < reducer.fewest || count > reducer.most ? kImpossible : pass_over(x)};
}

}  // namespace

SAMPLES("batch_norm", draw_batch_norm)
SAMPLES("group_norm", draw_group_norm)
SAMPLES("layer_norm", draw_layer_norm)
SAMPLES("softmax", draw_softmax)
SAMPLES("cross_entropy", draw_cross_entropy)
SAMPLES("reductions", draw_reduction)

}  // namespace tapetum::test
