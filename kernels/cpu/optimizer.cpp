// One pass over blocks of all tensors, spread over the threads. Adam in f32 moves 28 bytes an element (reads p g m v, writes p m v):
// bound by memory. Formulas: kernels/optimizer.h.
#include "kernels/optimizer.h"

#include "kernels/cpu/math.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kBlock = 1 << 15;  // elements of one unit of work

template <class Args> bool supports(const Args& a) { return serves(a.shape.dtype); }

int64_t blocks_of(const OptimizerTensor& t) { return (t.count + kBlock - 1) / kBlock; }

// Where each tensor's blocks begin in the row of all blocks: tensors + 1 numbers.
template <class Args> size_t block_starts_bytes(const Args& a) { return static_cast<size_t>(a.shape.tensors + 1) * sizeof(int64_t); }
template <class Args> void fill_block_starts(const Args& a, int64_t* starts) {
  starts[0] = 0;
  for (int64_t k = 0; k < a.shape.tensors; ++k) starts[k + 1] = starts[k] + blocks_of(a.tensors[k]);
}

// f(tensor, begin, end, block) for every block.
template <class Args, class F> void for_each_block(const Args& a, const int64_t* starts, F f) {
  parallel_for(starts[a.shape.tensors], [&](int64_t block) {
    int64_t low = 0, high = a.shape.tensors;  // starts[low] <= block < starts[high]
    while (high - low > 1) (starts[(low + high) / 2] <= block ? low : high) = (low + high) / 2;
    const OptimizerTensor& t = a.tensors[low];
    const int64_t begin = (block - starts[low]) * kBlock;
    f(t, begin, begin + kBlock < t.count ? begin + kBlock : t.count, block);
  });
}

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

template <class T> Vec<T> constant(double x) { return Vec<T>(static_cast<T>(x)); }

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

template <class T, bool kAmsgrad> void adam_of(const AdamStepArgs& a, Workspace& w) {
  using V = Vec<T>;
  const V shrink = constant<T>(a.decoupled ? 1 - *a.lr * a.weight_decay : 1), decay = constant<T>(a.decoupled ? 0 : a.weight_decay);
  const V b1 = constant<T>(a.beta1), b2 = constant<T>(a.beta2), c1 = constant<T>(1 - a.beta1), c2 = constant<T>(1 - a.beta2),
          eps = constant<T>(a.eps);
  step_blocks<T, kAmsgrad ? 3 : 2>(a, w, [&](const OptimizerTensor& t) {
    const V rate = constant<T>(-*a.lr / (1 - __builtin_pow(a.beta1, *t.step)));
    const V unbias = constant<T>(1 / __builtin_sqrt(1 - __builtin_pow(a.beta2, *t.step)));
    return [=](V& p, V g, V& m, V& v, V& greatest) {
      p = p * shrink;
      g = g + decay * p;
      m = b1 * m + c1 * g;
      v = b2 * v + c2 * g * g;
      if constexpr (kAmsgrad) greatest = max(v, greatest);
      p = p + rate * m / (sqrt(kAmsgrad ? greatest : v) * unbias + eps);
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

// f(pointer, valid lanes) for each register of a block.
template <class T, class F> void for_each_register(T* x, int64_t begin, int64_t end, F f) {
  for (int64_t i = begin; i < end; i += Vec<std::remove_const_t<T>>::lanes) f(x + i, end - i);
}

// sum |x|^p of [begin, end), or the greatest |x|.
template <class T> double run_norm(const T* x, int64_t begin, int64_t end, double p) {
  using V = Vec<T>;
  if (p == 2) {
    V squares(T(0));
    for_each_register(x, begin, end, [&](const T* at, int64_t n) {
      const V v = V::load(at, n);
      squares = squares + v * v;
    });
    return static_cast<double>(squares.sum());
  }
  double total = 0;
  for (int64_t i = begin; i < end; ++i) {
    const double magnitude = __builtin_fabs(static_cast<double>(x[i]));
    if (!__builtin_isinf(p))
      total += p == 1 ? magnitude : __builtin_pow(magnitude, p);
    else if (!(magnitude <= total))  // keeps a NaN
      total = total != total ? total : magnitude;
  }
  return total;
}

// Two results of run_norm in one.
double combined(double a, double b, double p) {
  if (!__builtin_isinf(p)) return a + b;
  return a != a || b <= a ? a : b;
}

// In short runs, whose results are added in double: long sums in one variable would lose digits.
template <class T> double block_norm(const T* x, int64_t begin, int64_t end, double p) {
  constexpr int64_t kRun = 64 * Vec<T>::lanes;
  double total = 0;
  for (int64_t i = begin; i < end; i += kRun) total = combined(total, run_norm(x, i, i + kRun < end ? i + kRun : end, p), p);
  return total;
}

Status clip(const ClipNormArgs& a, Workspace& w) {
  int64_t* starts = static_cast<int64_t*>(w.data);
  fill_block_starts(a, starts);
  double* parts = reinterpret_cast<double*>(starts + a.shape.tensors + 1);
  with_served_type(a.shape.dtype, [&]<class T>() {
    using V = Vec<T>;
    for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t block) {
      parts[block] = block_norm(static_cast<const T*>(t.value), begin, end, a.p);
    });
    double total = 0;
    for (int64_t b = 0; b < starts[a.shape.tensors]; ++b) total = combined(total, parts[b], a.p);
    *a.norm = __builtin_isinf(a.p) ? total : a.p == 2 ? __builtin_sqrt(total) : __builtin_pow(total, 1 / a.p);
    const double scale = a.limit / (*a.norm + 1e-6);
    if (scale >= 1 || __builtin_isinf(a.limit)) return;
    const V factor = constant<T>(scale);
    for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t) {
      for_each_register(static_cast<T*>(t.value), begin, end, [&](T* x, int64_t n) { (V::load(x, n) * factor).store(x, n); });
    });
  });
  return Status::ok;
}

size_t clip_bytes(const ClipNormArgs& a) {
  const int64_t most_blocks = a.shape.elements / kBlock + a.shape.tensors;  // each tensor's last block may be short
  return block_starts_bytes(a) + static_cast<size_t>(most_blocks) * sizeof(double);
}

double error_clip(const ClipNormArgs& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.elements)); }
template <class Args> double error(const Args&) { return 16; }

}  // namespace

TAPETUM_CPU_CANDIDATE(SgdStepArgs, sgd_step_vec){.name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = sgd};
TAPETUM_CPU_CANDIDATE(AdamStepArgs, adam_step_vec){.name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = adam};
TAPETUM_CPU_CANDIDATE(RmspropStepArgs, rmsprop_step_vec){
    .name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = rmsprop};
TAPETUM_CPU_CANDIDATE(EmaStepArgs, ema_step_vec){.name = "vec", .supports = supports, .workspace = block_starts_bytes, .error = error, .run = ema};
TAPETUM_CPU_CANDIDATE(ClipNormArgs, clip_norm_vec){.name = "vec", .supports = supports, .workspace = clip_bytes, .error = error_clip, .run = clip};

}  // namespace tapetum::kernels
