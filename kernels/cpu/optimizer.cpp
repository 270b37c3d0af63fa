// One pass over blocks of all tensors, spread over the threads. Adam in f32 moves 28 bytes an element (reads p g m v, writes p m v):
// bound by memory. Formulas: kernels/optimizer.h.
#include "kernels/cpu/tensor_blocks.h"

namespace tapetum::kernels {
namespace {

// update_of(tensor) gives the update of one register, update(p, g, s0, s1, s2), which changes p and the states in place.
// kStates of them are used: the others are neither read nor written.
template <class T, int kStates, class Args, class F> void step_blocks(const Args& a, Workspace& w, F update_of) {
  using V = Vec<T>;
  int64_t* starts = static_cast<int64_t*>(w.data);
  fill_block_starts(a, starts);
  for (int64_t k = 0; k < a.shape.tensors; ++k) ++*a.tensors[k].step;
  for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t) {
    T *p = static_cast<T*>(t.value), *s[3];
    const T* g = static_cast<const T*>(t.source);
    for (int j = 0; j < 3; ++j) s[j] = static_cast<T*>(t.state[j]);
    const auto update = update_of(t);
    for (int64_t i = begin; i < end; i += V::lanes) {
      const int64_t n = end - i;
      V vp = V::load(p + i, n), vs[3] = {V(T(0)), V(T(0)), V(T(0))};
      for (int j = 0; j < kStates; ++j) vs[j] = V::load(s[j] + i, n);
      update(vp, V::load(g + i, n), vs[0], vs[1], vs[2]);
      vp.store(p + i, n);
      for (int j = 0; j < kStates; ++j) vs[j].store(s[j] + i, n);
    }
  });
}

template <class T> void sgd_of(const SgdStepArgs& a, Workspace& w) {
  using V = Vec<T>;
  const V decay = constant<T>(a.weight_decay), minus_lr = constant<T>(-*a.lr), keep = constant<T>(a.momentum), add = constant<T>(1 - a.dampening);
  if (a.momentum == 0)
    return step_blocks<T, 0>(a, w, [&](const OptimizerTensor&) { return [=](V& p, V g, V&, V&, V&) { p = p + minus_lr * (g + decay * p); }; });
  step_blocks<T, 1>(a, w, [&](const OptimizerTensor& t) {
    const bool first = *t.step == 1;
    const V keep_now = first ? V(T(0)) : keep, add_now = first ? V(T(1)) : add;
    return [=, nesterov = a.nesterov](V& p, V g, V& b, V&, V&) {
      g = g + decay * p;
      b = keep_now * b + add_now * g;
      p = p + minus_lr * (nesterov ? g + keep * b : b);
    };
  });
}

// What a parameter's elements have in common at a step: p -= (mean m + gradient g) / (sqrt(v) unbias + eps), without the quotient
// where the step is not adaptive.
struct AdamRates {
  double mean, gradient, unbias;
  bool adaptive;
};

double nadam_momentum(const AdamStepArgs& a, double t) { return a.beta1 * (1 - 0.5 * __builtin_pow(0.96, t * a.momentum_decay)); }

AdamRates adam_rates(const AdamStepArgs& a, const OptimizerTensor& tensor) {
  const double t = *tensor.step, lr = *a.lr, unbias1 = 1 - __builtin_pow(a.beta1, t), unbias2 = 1 - __builtin_pow(a.beta2, t);
  if (a.rule == AdamRule::nadam) {
    const double next = nadam_momentum(a, t + 1), product = tensor.step[1];
    return {lr * next / (1 - product * next), lr * (1 - nadam_momentum(a, t)) / (1 - product), 1 / __builtin_sqrt(unbias2), true};
  }
  if (a.rule == AdamRule::radam) {
    const double r = 2 / (1 - a.beta2) - 1, n = r - 2 * t * (1 - unbias2) / unbias2;
    if (!(n > 5)) return {lr / unbias1, 0, 0, false};
    return {lr / unbias1 * __builtin_sqrt((n - 4) * (n - 2) * r / ((r - 4) * (r - 2) * n) * unbias2), 0, 1, true};
  }
  return {lr / unbias1, 0, 1 / __builtin_sqrt(unbias2), true};
}

template <class T, bool kAmsgrad> void adam_of(const AdamStepArgs& a, Workspace& w) {
  using V = Vec<T>;
  const V shrink = constant<T>(a.decoupled ? 1 - *a.lr * a.weight_decay : 1), decay = constant<T>(a.decoupled ? 0 : a.weight_decay);
  const V b1 = constant<T>(a.beta1), b2 = constant<T>(a.beta2), c1 = constant<T>(1 - a.beta1), c2 = constant<T>(1 - a.beta2),
          eps = constant<T>(a.eps);
  for (int64_t k = 0; a.rule == AdamRule::nadam && k < a.shape.tensors; ++k) a.tensors[k].step[1] *= nadam_momentum(a, a.tensors[k].step[0] + 1);
  step_blocks<T, kAmsgrad ? 3 : 2>(a, w, [&](const OptimizerTensor& t) {
    const AdamRates r = adam_rates(a, t);
    const V mean = constant<T>(-r.mean), gradient = constant<T>(-r.gradient), unbias = constant<T>(r.unbias);
    return [=, adaptive = r.adaptive](V& p, V g, V& m, V& v, V& greatest) {
      p = p * shrink;
      g = g + decay * p;
      m = b1 * m + c1 * g;
      v = b2 * v + c2 * g * g;
      if constexpr (kAmsgrad) greatest = max(v, greatest);
      const V change = mean * m + gradient * g;
      p = p + (adaptive ? change / (sqrt(kAmsgrad ? greatest : v) * unbias + eps) : change);
    };
  });
}

template <class T, int kStates> void rmsprop_of(const RmspropStepArgs& a, Workspace& w) {
  using V = Vec<T>;
  const V decay = constant<T>(a.weight_decay), alpha = constant<T>(a.alpha), rest = constant<T>(1 - a.alpha), eps = constant<T>(a.eps);
  const V keep = constant<T>(a.momentum), minus_lr = constant<T>(-*a.lr);
  step_blocks<T, kStates>(a, w, [&](const OptimizerTensor&) {
    return [=](V& p, V g, V& v, V& b, V& average) {
      g = g + decay * p;
      v = alpha * v + rest * g * g;
      V variance = v;
      if constexpr (kStates == 3) {
        average = alpha * average + rest * g;
        variance = v - average * average;
      }
      b = keep * b + g / (sqrt(variance) + eps);
      p = p + minus_lr * b;
    };
  });
}

template <class T> void adagrad_of(const AdagradStepArgs& a, Workspace& w) {
  using V = Vec<T>;
  const V decay = constant<T>(a.weight_decay), eps = constant<T>(a.eps);
  step_blocks<T, 1>(a, w, [&](const OptimizerTensor& t) {
    const V rate = constant<T>(-*a.lr / (1 + (*t.step - 1) * a.lr_decay));
    return [=](V& p, V g, V& squares, V&, V&) {
      g = g + decay * p;
      squares = squares + g * g;
      p = p + rate * g / (sqrt(squares) + eps);
    };
  });
}

template <class T> void lion_of(const LionStepArgs& a, Workspace& w) {
  using V = Vec<T>;
  const V shrink = constant<T>(1 - *a.lr * a.weight_decay), lr = constant<T>(*a.lr), minus_lr = constant<T>(-*a.lr), zero = constant<T>(0);
  const V b1 = constant<T>(a.beta1), b2 = constant<T>(a.beta2), c1 = constant<T>(1 - a.beta1), c2 = constant<T>(1 - a.beta2);
  step_blocks<T, 1>(a, w, [&](const OptimizerTensor&) {
    return [=](V& p, V g, V& m, V&, V&) {
      const V u = b1 * m + c1 * g;
      p = p * shrink + select(u > zero, minus_lr, select(u < zero, lr, zero));
      m = b2 * m + c2 * g;
    };
  });
}

Status sgd(const SgdStepArgs& a, Workspace& w) {
  with_served_type(a.shape.dtype, [&]<class T>() { sgd_of<T>(a, w); });
  return Status::ok;
}

Status adam(const AdamStepArgs& a, Workspace& w) {
  with_served_type(a.shape.dtype, [&]<class T>() { a.amsgrad ? adam_of<T, true>(a, w) : adam_of<T, false>(a, w); });
  return Status::ok;
}

// Without momentum b is not kept: zero momentum makes it this step's quotient.
Status rmsprop(const RmspropStepArgs& a, Workspace& w) {
  with_served_type(a.shape.dtype, [&]<class T>() {
    if (a.centered)
      rmsprop_of<T, 3>(a, w);
    else if (a.momentum != 0)
      rmsprop_of<T, 2>(a, w);
    else
      rmsprop_of<T, 1>(a, w);
  });
  return Status::ok;
}

Status adagrad(const AdagradStepArgs& a, Workspace& w) {
  with_served_type(a.shape.dtype, [&]<class T>() { adagrad_of<T>(a, w); });
  return Status::ok;
}

Status lion(const LionStepArgs& a, Workspace& w) {
  with_served_type(a.shape.dtype, [&]<class T>() { lion_of<T>(a, w); });
  return Status::ok;
}

// Between the periods nothing is touched but the counts.
Status lookahead(const LookaheadStepArgs& a, Workspace& w) {
  int64_t* starts = static_cast<int64_t*>(w.data);
  fill_block_starts(a, starts);
  for (int64_t k = 0; k < a.shape.tensors; ++k) ++*a.tensors[k].step;
  with_served_type(a.shape.dtype, [&]<class T>() {
    using V = Vec<T>;
    const V alpha = constant<T>(a.alpha);
    for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t) {
      if (static_cast<int64_t>(*t.step) % a.period != 0) return;
      T* slow = static_cast<T*>(t.state[0]) + begin;
      for_each_register(static_cast<T*>(t.value), begin, end, [&](T* p, int64_t n) {
        const V old = V::load(slow, n), now = old + alpha * (V::load(p, n) - old);
        now.store(slow, n);
        now.store(p, n);
        slow += V::lanes;
      });
    });
  });
  return Status::ok;
}

Status ema(const EmaStepArgs& a, Workspace& w) {
  with_served_type(a.shape.dtype, [&]<class T>() {
    using V = Vec<T>;
    step_blocks<T, 0>(a, w, [&](const OptimizerTensor& t) {
      const double ramp = (1 + *t.step) / (10 + *t.step), decay = a.warm_up && ramp < a.decay ? ramp : a.decay;
      const V rest = constant<T>(1 - decay);
      return [=](V& average, V p, V&, V&, V&) { average = average + rest * (p - average); };
    });
  });
  return Status::ok;
}

template <class Args> double error(const Args&) { return 16; }

}  // namespace

TAPETUM_CPU_CANDIDATE(SgdStepArgs, sgd_step_vec){
    .name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = unless_found<SgdStepArgs, sgd>};
TAPETUM_CPU_CANDIDATE(AdamStepArgs, adam_step_vec){
    .name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = unless_found<AdamStepArgs, adam>};
TAPETUM_CPU_CANDIDATE(RmspropStepArgs, rmsprop_step_vec){
    .name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = unless_found<RmspropStepArgs, rmsprop>};
TAPETUM_CPU_CANDIDATE(EmaStepArgs, ema_step_vec){.name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = ema};
TAPETUM_CPU_CANDIDATE(AdagradStepArgs, adagrad_step_vec){
    .name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = unless_found<AdagradStepArgs, adagrad>};
TAPETUM_CPU_CANDIDATE(LionStepArgs, lion_step_vec){
    .name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = unless_found<LionStepArgs, lion>};
TAPETUM_CPU_CANDIDATE(LookaheadStepArgs, lookahead_step_vec){
    .name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = unless_found<LookaheadStepArgs, lookahead>};

}  // namespace tapetum::kernels
