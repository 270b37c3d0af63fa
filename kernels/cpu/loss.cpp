// Logits are read twice from cache in each direction and no probability is stored: forward keeps one value per pixel for the gradient.
// Losses are summed in double per unit of work, and the units' sums are added in order.
#include "kernels/loss.h"

#include <limits>

#include "kernels/cpu/lines.h"
#include "kernels/cpu/math.h"
#include "kernels/cpu/report.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args& a) { return serves(a.shape.dtype); }
template <class Args> double error(const Args& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.length)); }

template <class T> T weight_of(const void* weight, int64_t c) { return weight ? static_cast<const T*>(weight)[c] : T(1); }

struct Totals {
  double loss, weight;
};

template <class T> class Forward {
  using V = Vec<T>;

 public:
  explicit Forward(const CrossEntropyForwardArgs& args) : a(args), e(T(args.options.label_smoothing)), share(e / T(args.shape.length)) {
    for (int64_t c = 0; c < a.shape.length; ++c) all += weight_of<T>(a.weight, c);
  }

  template <class Lines> void run(const Lines& lines, int64_t first, const T* x, Totals& totals) const {
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    V top(lowest), sum(T(0));
    for (int64_t i = 0; i < lines.steps(); ++i) top = max(top, lines.load(x, i, lowest));
    top = lines.max(top);
    for (int64_t i = 0; i < lines.steps(); ++i) sum = sum + exp(lines.load(x, i, lowest) - top);
    T lse[V::lanes], smooth[V::lanes];
    (top + log(lines.sum(sum))).store(lse);
    if (e != 0) weighted_sum(lines, x).store(smooth);
    for (int64_t line = 0; line < lines.lines; ++line) {
      static_cast<T*>(a.lse)[first + line] = lse[line];
      const T loss = loss_of(
          first + line, lse[line], e != 0 ? smooth[line] : 0, [&](int64_t c) { return x[lines.at(c, line)]; }, totals);
      if (a.options.reduction == Reduction::none) static_cast<T*>(a.loss)[first + line] = loss;
    }
  }

 private:
  // sum_c w_c x_c
  template <class Lines> V weighted_sum(const Lines& lines, const T* x) const {
    V sum(T(0));
    for (int64_t i = 0; i < lines.steps(); ++i) {
      const V v = lines.load(x, i, 0);
      sum = sum + (a.weight ? v * lines.weights(static_cast<const T*>(a.weight), i) : v);
    }
    return lines.sum(sum);
  }

  template <class F> T loss_of(int64_t pixel, T lse, T smooth, F logit, Totals& totals) const {
    const int64_t t = a.target[pixel];
    if (t == a.options.ignore_index) return 0;
    if (t < 0 || t >= a.shape.length) {
      report_lowest(a.bad, pixel);
      return 0;
    }
    const T w = weight_of<T>(a.weight, t);
    T loss = (1 - e) * w * (lse - logit(t));
    if (e != 0) loss += share * (all * lse - smooth);
    totals.loss += loss;
    totals.weight += w;
    return loss;
  }

  const CrossEntropyForwardArgs& a;
  T e, share, all = 0;
};

size_t forward_workspace(const CrossEntropyForwardArgs& a) { return static_cast<size_t>(LineUnits(a.shape).count) * sizeof(Totals); }

Status forward(const CrossEntropyForwardArgs& a, Workspace& workspace) {
  with_served_type(a.shape.dtype, [&]<class T>() {
    const Forward<T> kernel(a);
    const LineUnits units(a.shape);
    auto* totals = static_cast<Totals*>(workspace.data);
    parallel_for(units.count, [&](int64_t unit) {
      Totals sums{0, 0};
      for_each_block(a.shape, units, unit, Pointers<const T*, 1>{static_cast<const T*>(a.x)}, Pointers<T*, 0>{},
                     [&](const auto& lines, int64_t first, const auto& in, const auto&) { kernel.run(lines, first, in[0], sums); });
      totals[unit] = sums;
    });
    Totals all{0, 0};
    for (int64_t unit = 0; unit < units.count; ++unit) all = {all.loss + totals[unit].loss, all.weight + totals[unit].weight};
    if (a.options.reduction == Reduction::mean) all.loss /= all.weight;
    if (a.options.reduction != Reduction::none) *static_cast<T*>(a.loss) = static_cast<T>(all.loss);
    *static_cast<T*>(a.total_weight) = static_cast<T>(all.weight);
  });
  return Status::ok;
}

// gx_c = g (p_c ((1 - e) w_t + e/C sum w) - (1 - e) w_t [c = t] - e/C w_c), p = exp(x - lse)
template <class T> class Backward {
  using V = Vec<T>;

 public:
  explicit Backward(const CrossEntropyBackwardArgs& args) : a(args), e(T(args.options.label_smoothing)), share(e / T(args.shape.length)) {
    for (int64_t c = 0; c < a.shape.length; ++c) all += weight_of<T>(a.weight, c);
    if (a.options.reduction != Reduction::none) g = *static_cast<const T*>(a.gy);
    if (a.options.reduction == Reduction::mean) g /= *static_cast<const T*>(a.total_weight);
  }

  template <class Lines> void run(const Lines& lines, int64_t first, const T* x, T* gx) const {
    T gs[V::lanes] = {}, scales[V::lanes] = {}, hits[V::lanes] = {};
    for (int64_t line = 0; line < lines.lines; ++line) {
      const int64_t t = a.target[first + line];
      if (t == a.options.ignore_index) continue;
      gs[line] = a.options.reduction == Reduction::none ? static_cast<const T*>(a.gy)[first + line] : g;
      hits[line] = gs[line] * (1 - e) * weight_of<T>(a.weight, t);
      scales[line] = hits[line] + gs[line] * share * all;
    }
    const V lse = lines.load_per_line(static_cast<const T*>(a.lse) + first), scale = lines.load_per_line(scales),
            shares = lines.load_per_line(gs) * V(share);
    for (int64_t i = 0; i < lines.steps(); ++i) {
      V slope = exp(lines.load(x, i, 0) - lse) * scale;
      if (e != 0) slope = slope - (a.weight ? shares * lines.weights(static_cast<const T*>(a.weight), i) : shares);
      lines.store(slope, gx, i);
    }
    for (int64_t line = 0; line < lines.lines; ++line)
      if (const int64_t t = a.target[first + line]; t != a.options.ignore_index) gx[lines.at(t, line)] -= hits[line];
  }

 private:
  const CrossEntropyBackwardArgs& a;
  T e, share, all = 0, g = 0;
};

Status backward(const CrossEntropyBackwardArgs& a, Workspace&) {
  with_served_type(a.shape.dtype, [&]<class T>() {
    const Backward<T> kernel(a);
    const LineUnits units(a.shape);
    parallel_for(units.count, [&](int64_t unit) {
      for_each_block(a.shape, units, unit, Pointers<const T*, 1>{static_cast<const T*>(a.x)}, Pointers<T*, 1>{static_cast<T*>(a.gx)},
                     [&](const auto& lines, int64_t first, const auto& in, const auto& out) { kernel.run(lines, first, in[0], out[0]); });
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(CrossEntropyForwardArgs, cross_entropy_forward_vec){
    .name = "vec", .supports = supports, .workspace = forward_workspace, .error = error, .run = forward};
TAPETUM_CPU_CANDIDATE(CrossEntropyBackwardArgs, cross_entropy_backward_vec){.name = "vec", .supports = supports, .error = error, .run = backward};

}  // namespace tapetum::kernels
