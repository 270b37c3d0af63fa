// One pass over all tensors of a group, a thread an element. Bound by memory:
// Adam in f32 moves 28 bytes an element, 14 in 16 bits, whose values and states
// are widened for the step and rounded after it. Formulas: kernels/optimizer.h.
#include "kernels/optimizer.h"

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/tensor_chunks.cuh"

namespace tapetum::kernels {
namespace {

template <int n> __global__ void __launch_bounds__(n) count_step_kernel(const Chunk<n> GPU_IN_PLACE chunk) {
  if (threadIdx.x < chunk.tensors) ++*chunk.tensor[threadIdx.x].step;
}

// Rule: what the elements of a tensor have in common at its step. Worked out
// once a block, in double.
template <class Rule, class T, class Args, int n>
__global__ void __launch_bounds__(kThreads) optimizer_step_kernel(const Chunk<n> GPU_IN_PLACE chunk, const Args GPU_IN_PLACE a) {
  const auto [t, begin, end] = part_of(chunk, blockIdx.x);
  __shared__ Rule rule;
  if (threadIdx.x == 0) rule = Rule::of(a, *t.step);
  __syncthreads();
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
  __device__ static Sgd of(const SgdStepArgs& a, double t) {
    const bool fresh = t == 1 || a.momentum == 0;
    return {T(*a.lr), T(a.weight_decay), T(fresh ? 0 : a.momentum), T(fresh ? 1 : 1 - a.dampening), T(a.momentum), a.nesterov};
  }
  __device__ void update(T& p, T g, T (&s)[3]) const {
    g += decay * p;
    s[0] = keep * s[0] + add * g;
    p -= lr * (nesterov ? g + momentum * s[0] : s[0]);
  }
};

template <class T> struct Adam {
  T shrink, decay, beta1, rest1, beta2, rest2, rate, unbias, eps;
  bool amsgrad;
  __device__ static Adam of(const AdamStepArgs& a, double t) {
    return {T(a.decoupled ? 1 - *a.lr * a.weight_decay : 1),
            T(a.decoupled ? 0 : a.weight_decay),
            T(a.beta1),
            T(1 - a.beta1),
            T(a.beta2),
            T(1 - a.beta2),
            T(*a.lr / (1 - pow(a.beta1, t))),
            T(1 / sqrt(1 - pow(a.beta2, t))),
            T(a.eps),
            a.amsgrad};
  }
  __device__ void update(T& p, T g, T (&s)[3]) const {
    p *= shrink;
    g += decay * p;
    s[0] = beta1 * s[0] + rest1 * g;
    s[1] = beta2 * s[1] + rest2 * g * g;
    s[2] = s[2] < s[1] ? s[1] : s[2];
    p -= rate * s[0] / (sqrt(amsgrad ? s[2] : s[1]) * unbias + eps);
  }
};

template <class T> struct Rmsprop {
  T lr, decay, alpha, rest, eps, momentum;
  bool centered;
  __device__ static Rmsprop of(const RmspropStepArgs& a, double) {
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
  __device__ static Ema of(const EmaStepArgs& a, double t) {
    const double ramp = (1 + t) / (10 + t);
    return {T(1 - (a.warm_up && ramp < a.decay ? ramp : a.decay))};
  }
  __device__ void update(T& average, T p, T (&)[3]) const { average += rest * (p - average); }
};

template <class Rule, class T, class Args, int n> Status launch_step(const Chunk<n>& chunk, const Args& a, cudaStream_t stream) {
  const gpu::Launch count{.grid = 1, .block = n, .stream = stream};
  if (const Status s = status_of(gpu::launch<count_step_kernel<n>>(count, chunk)); s != Status::ok) return s;
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
TAPETUM_CANDIDATE(EmaStepArgs, ema_step_cuda){.name = "chunks", .supports = supports, .error = error, .run = run<Ema>};

}  // namespace tapetum::kernels
