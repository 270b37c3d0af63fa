// One pass over all tensors of a group, a thread an element. Bound by memory:
// Adam in f32 moves 28 bytes an element, 14 in 16 bits, whose values and states
// are widened for the step and rounded after it. Formulas: kernels/optimizer.h.
#include "kernels/optimizer.h"

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/tensor_chunks.cuh"

namespace tapetum::kernels {
namespace {

__device__ double nadam_momentum(const AdamStepArgs& a, double t) { return a.beta1 * (1 - 0.5 * pow(0.96, t * a.momentum_decay)); }

template <class Args> __device__ void count(const Args&, double* step) { ++*step; }
__device__ void count(const AdamStepArgs& a, double* step) {
  ++*step;
  if (a.rule == AdamRule::nadam) step[1] *= nadam_momentum(a, *step);
}

template <class Args, int n> __global__ void __launch_bounds__(n) count_step_kernel(const Chunk<n> GPU_IN_PLACE chunk, const Args GPU_IN_PLACE a) {
  if (left_out(a)) return;
  if (threadIdx.x < chunk.tensors) count(a, chunk.tensor[threadIdx.x].step);
}

// Rule: what the elements of a tensor have in common at its step. Worked out
// once a block, in double. An idle one leaves them as they are.
template <class Rule, class T, class Args, int n>
__global__ void __launch_bounds__(kThreads) optimizer_step_kernel(const Chunk<n> GPU_IN_PLACE chunk, const Args GPU_IN_PLACE a) {
  if (left_out(a)) return;
  const auto [t, begin, end] = part_of(chunk, blockIdx.x);
  __shared__ Rule rule;
  if (threadIdx.x == 0) rule = Rule::of(a, t.step);
  __syncthreads();
  if constexpr (requires { rule.idle; })
    if (rule.idle) return;
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    Compute<T> p = widen(static_cast<T*>(t.value)[i]), s[3] = {};
    for (int j = 0; j < 3; ++j)
      if (t.state[j]) s[j] = widen(static_cast<const T*>(t.state[j])[i]);
    rule.update(p, widen(static_cast<const T*>(t.source)[i]), s);
    static_cast<T*>(t.value)[i] = narrow<T>(p);
    for (int j = 0; j < 3; ++j)
      if (t.state[j]) static_cast<T*>(t.state[j])[i] = narrow<T>(s[j]);
  }
}

// Without momentum nothing of b is kept, and there is no state of it.
template <class T> struct Sgd {
  T lr, decay, keep, add, momentum;
  bool nesterov;
  __device__ static Sgd of(const SgdStepArgs& a, const double* step) {
    const bool fresh = *step == 1 || a.momentum == 0;
    return {T(*a.lr), T(a.weight_decay), T(fresh ? 0 : a.momentum), T(fresh ? 1 : 1 - a.dampening), T(a.momentum), a.nesterov};
  }
  __device__ void update(T& p, T g, T (&s)[3]) const {
    g += decay * p;
    s[0] = keep * s[0] + add * g;
    p -= lr * (nesterov ? g + momentum * s[0] : s[0]);
  }
};

// p -= (mean m + gradient g) / (sqrt(v) unbias + eps), without the quotient where the step is not adaptive.
template <class T> struct Adam {
  T shrink, decay, beta1, rest1, beta2, rest2, mean, gradient, unbias, eps;
  bool amsgrad, adaptive;
  __device__ static Adam of(const AdamStepArgs& a, const double* step) {
    const double t = *step, lr = *a.lr, unbias1 = 1 - pow(a.beta1, t), unbias2 = 1 - pow(a.beta2, t);
    double mean = lr / unbias1, gradient = 0, unbias = 1 / sqrt(unbias2);
    bool adaptive = true;
    if (a.rule == AdamRule::nadam) {
      const double next = nadam_momentum(a, t + 1);
      mean = lr * next / (1 - step[1] * next);
      gradient = lr * (1 - nadam_momentum(a, t)) / (1 - step[1]);
    }
    if (a.rule == AdamRule::radam) {
      const double r = 2 / (1 - a.beta2) - 1, n = r - 2 * t * (1 - unbias2) / unbias2;
      adaptive = n > 5;
      if (adaptive) mean *= sqrt((n - 4) * (n - 2) * r / ((r - 4) * (r - 2) * n) * unbias2);
      unbias = 1;
    }
    return {T(a.decoupled ? 1 - lr * a.weight_decay : 1),
            T(a.decoupled ? 0 : a.weight_decay),
            T(a.beta1),
            T(1 - a.beta1),
            T(a.beta2),
            T(1 - a.beta2),
            T(mean),
            T(gradient),
            T(unbias),
            T(a.eps),
            a.amsgrad,
            adaptive};
  }
  __device__ void update(T& p, T g, T (&s)[3]) const {
    p *= shrink;
    g += decay * p;
    s[0] = beta1 * s[0] + rest1 * g;
    s[1] = beta2 * s[1] + rest2 * g * g;
    s[2] = s[2] < s[1] ? s[1] : s[2];
    const T change = mean * s[0] + gradient * g;
    p -= adaptive ? change / (sqrt(amsgrad ? s[2] : s[1]) * unbias + eps) : change;
  }
};

template <class T> struct Adagrad {
  T rate, decay, eps;
  __device__ static Adagrad of(const AdagradStepArgs& a, const double* step) {
    return {T(*a.lr / (1 + (*step - 1) * a.lr_decay)), T(a.weight_decay), T(a.eps)};
  }
  __device__ void update(T& p, T g, T (&s)[3]) const {
    g += decay * p;
    s[0] += g * g;
    p -= rate * g / (sqrt(s[0]) + eps);
  }
};

template <class T> struct Lion {
  T lr, shrink, beta1, rest1, beta2, rest2;
  __device__ static Lion of(const LionStepArgs& a, const double*) {
    return {T(*a.lr), T(1 - *a.lr * a.weight_decay), T(a.beta1), T(1 - a.beta1), T(a.beta2), T(1 - a.beta2)};
  }
  __device__ void update(T& p, T g, T (&s)[3]) const {
    const T u = beta1 * s[0] + rest1 * g;
    p = p * shrink - lr * T((u > 0) - (u < 0));
    s[0] = beta2 * s[0] + rest2 * g;
  }
};

template <class T> struct Lookahead {
  T alpha;
  bool idle;
  __device__ static Lookahead of(const LookaheadStepArgs& a, const double* step) { return {T(a.alpha), static_cast<int64_t>(*step) % a.period != 0}; }
  __device__ void update(T& p, T, T (&s)[3]) const { p = s[0] += alpha * (p - s[0]); }
};

template <class T> struct Rmsprop {
  T lr, decay, alpha, rest, eps, momentum;
  bool centered;
  __device__ static Rmsprop of(const RmspropStepArgs& a, const double*) {
    return {T(*a.lr), T(a.weight_decay), T(a.alpha), T(1 - a.alpha), T(a.eps), T(a.momentum), a.centered};
  }
  __device__ void update(T& p, T g, T (&s)[3]) const {
    g += decay * p;
    s[0] = alpha * s[0] + rest * g * g;
    if (centered) s[2] = alpha * s[2] + rest * g;
    s[1] = momentum * s[1] + g / (sqrt(centered ? s[0] - s[2] * s[2] : s[0]) + eps);
    p -= lr * s[1];
  }
};

template <class T> struct Ema {
  T rest;
  __device__ static Ema of(const EmaStepArgs& a, const double* step) {
    const double t = *step, ramp = (1 + t) / (10 + t);
    return {T(1 - (a.warm_up && ramp < a.decay ? ramp : a.decay))};
  }
  __device__ void update(T& average, T p, T (&)[3]) const { average += rest * (p - average); }
};

template <class Rule, class T, class Args, int n> Status launch_step(const Chunk<n>& chunk, const Args& a, cudaStream_t stream) {
  const gpu::Launch count{.grid = 1, .block = n, .stream = stream};
  if (const Status s = status_of(gpu::launch<count_step_kernel<Args, n>>(count, chunk, a)); s != Status::ok) return s;
  if (blocks_of(chunk) == 0) return Status::ok;
  const gpu::Launch step{.grid = dim3(blocks_of(chunk)), .block = kThreads, .stream = stream};
  return status_of(gpu::launch<optimizer_step_kernel<Rule, T, Args, n>>(step, chunk, a));
}

template <template <class> class Rule, class Args> Status run(const Args& a, Workspace& w) {
  return with_floating_type(a.shape.dtype, [&]<class T>() {
    return for_each_chunk(a, [&](const auto& chunk) { return launch_step<Rule<Compute<T>>, T>(chunk, a, stream_of(w)); });
  });
}

template <class Args> bool supports(const Args& a) { return is_floating(a.shape.dtype); }
template <class Args> double error(const Args&) { return 16; }

}  // namespace

TAPETUM_CANDIDATE(SgdStepArgs, sgd_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Sgd>};
TAPETUM_CANDIDATE(AdamStepArgs, adam_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Adam>};
TAPETUM_CANDIDATE(RmspropStepArgs, rmsprop_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Rmsprop>};
TAPETUM_CANDIDATE(AdagradStepArgs, adagrad_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Adagrad>};
TAPETUM_CANDIDATE(LionStepArgs, lion_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Lion>};
TAPETUM_CANDIDATE(LookaheadStepArgs, lookahead_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Lookahead>};
TAPETUM_CANDIDATE(EmaStepArgs, ema_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Ema>};

}  // namespace tapetum::kernels
