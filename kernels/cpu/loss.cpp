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
// The lines' losses are summed in f64: nothing in f32; in f64 as much as the sum in f64 that it is compared with.
double forward_error(const CrossEntropyForwardArgs& a) {
  const double lines = static_cast<double>(a.shape.outer * a.shape.inner);
  return error(a) + (a.shape.dtype == DType::f64 ? 2 * __builtin_sqrt(lines) : 0);
}

template <class T> T weight_of(const void* weight, int64_t c) { return weight ? static_cast<const T*>(weight)[c] : T(1); }

// A register's lanes of targets. (Spelt out: g++ drops vector_size from a dependent type.)
template <class T> struct Targets;
template <> struct Targets<float> { typedef int64_t type __attribute__((vector_size(2 * TAPETUM_VECTOR_BYTES))); };
template <> struct Targets<double> { typedef int64_t type __attribute__((vector_size(TAPETUM_VECTOR_BYTES))); };
constexpr int64_t kFewClasses = 32;

// Whether the targets of a unit's pixels are classes or ignored; if not, the first that is neither is reported.
bool check_targets(const CrossEntropyForwardArgs& a, const LineUnits& units, int64_t unit) {
  const int64_t begin = unit % units.per_group * units.lines, first = unit / units.per_group * units.rows + begin;
  const int64_t end = first + smaller(units.lines, units.rows - begin), classes = a.shape.length, ignored = a.options.ignore_index;
  const auto wrong = [&](int64_t t) { return static_cast<uint64_t>(t) >= static_cast<uint64_t>(classes) && t != ignored; };
  bool any = false;
  for (int64_t i = first; i < end; ++i) any |= wrong(a.target[i]);
  for (int64_t i = first; i < end && any; ++i)
    if (wrong(a.target[i])) return report(a.bad, i, a.target[i]), false;
  return true;
}

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
    for (int64_t i = 0; i < lines.steps(); ++i) sum = sum + exp_nonpositive(lines.load(x, i, lowest) - top);
    const V lse = top + log(lines.sum(sum));
    lines.store_per_line(lse, static_cast<T*>(a.lse) + first);
    const Picked picked = lines.lines == V::lanes && lines.steps() <= kFewClasses ? pick_few(lines, first, x) : pick(lines, first, x);
    V loss = V(1 - e) * picked.weight * (lse - picked.logit);
    if (e != 0) loss = loss + V(share) * (V(all) * lse - weighted_sum(lines, x));
    loss = select(picked.counted > V(0), loss, V(0));  // an ignored NaN counts for nothing too
    totals.loss += loss.sum();
    totals.weight += picked.weight.sum();
    if (a.options.reduction == Reduction::none) lines.store_per_line(loss, static_cast<T*>(a.loss) + first);
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

  // Per line: the target's logit, its weight, and 1; zeros where it is ignored. Targets have been checked.
  struct Picked {
    V logit, weight, counted;
  };

  template <class Lines> Picked pick(const Lines& lines, int64_t first, const T* x) const {
    T logit[V::lanes] = {}, weight[V::lanes] = {}, counted[V::lanes] = {};
    for (int64_t line = 0; line < lines.lines; ++line) {
      const int64_t t = a.target[first + line];
      if (t == a.options.ignore_index) continue;
      logit[line] = x[lines.at(t, line)];
      weight[line] = weight_of<T>(a.weight, t);
      counted[line] = 1;
    }
    return {V::load(logit), V::load(weight), V::load(counted)};
  }

  // The same without leaving the registers: each lane keeps the class that is its target.
  template <class Lines> Picked pick_few(const Lines& lines, int64_t first, const T* x) const {
    using Lane = decltype(V(T(0)).raw == V(T(0)).raw);  // integers as wide as T
    typename Targets<T>::type target;
    std::memcpy(&target, a.target + first, sizeof target);
    const Lane t = __builtin_convertvector(target, Lane), kept = __builtin_convertvector(target != a.options.ignore_index, Lane);
    Picked p{V(T(0)), V(T(1)), select(kept, V(T(1)), V(T(0)))};
    for (int64_t i = 0; i < lines.steps(); ++i) {
      const Lane hit = t == static_cast<std::remove_reference_t<decltype(t[0])>>(i);
      p.logit = select(hit, lines.load(x, i, 0), p.logit);
      if (a.weight) p.weight = select(hit, V(static_cast<const T*>(a.weight)[i]), p.weight);
    }
    p.weight = select(kept, p.weight, V(T(0)));
    return p;
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
      Totals sums = totals[unit] = {0, 0};
      if (!check_targets(a, units, unit)) return;
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
    .name = "vec", .supports = supports, .workspace = forward_workspace, .error = forward_error, .run = forward};
TAPETUM_CPU_CANDIDATE(CrossEntropyBackwardArgs, cross_entropy_backward_vec){.name = "vec", .supports = supports, .error = error, .run = backward};

}  // namespace tapetum::kernels
