// Element by element, in double; the formulas stand in kernels/optimizer.h.
#include "kernels/optimizer.h"

#include <algorithm>
#include <cmath>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args&) { return true; }

// update(p, g, s0, s1, s2, t) for every element, with t the number of this step; absent states are passed as a local zero.
template <class Args, class F> void for_each_element(const Args& a, F update) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    for (int64_t k = 0; k < a.shape.tensors; ++k) {
      const OptimizerTensor& t = a.tensors[k];
      ++*t.step;
      for (int64_t i = 0; i < t.count; ++i) {
        double p = static_cast<T*>(t.value)[i], s[3] = {};
        for (int j = 0; j < 3; ++j)
          if (t.state[j]) s[j] = static_cast<T*>(t.state[j])[i];
        update(p, static_cast<const T*>(t.source)[i], s[0], s[1], s[2], *t.step);
        static_cast<T*>(t.value)[i] = static_cast<T>(p);
        for (int j = 0; j < 3; ++j)
          if (t.state[j]) static_cast<T*>(t.state[j])[i] = static_cast<T>(s[j]);
      }
    }
  });
}

Status sgd(const SgdStepArgs& a, Workspace&) {
  for_each_element(a, [&](double& p, double g, double& b, double&, double&, double t) {
    g += a.weight_decay * p;
    if (a.momentum != 0) {
      b = t == 1 ? g : a.momentum * b + (1 - a.dampening) * g;
      g = a.nesterov ? g + a.momentum * b : b;
    }
    p -= *a.lr * g;
  });
  return Status::ok;
}

double nadam_momentum(const AdamStepArgs& a, double t) { return a.beta1 * (1 - 0.5 * std::pow(0.96, t * a.momentum_decay)); }

double nadam_mean(const AdamStepArgs& a, double g, double m, double t) {
  const double now = nadam_momentum(a, t), next = nadam_momentum(a, t + 1);
  double product = 1;  // from the beginning: the other kernels keep it
  for (double i = 1; i <= t; ++i) product *= nadam_momentum(a, i);
  return (1 - now) * g / (1 - product) + next * m / (1 - product * next);
}

double radam_factor(const AdamStepArgs& a, double v, double t) {
  const double unbias = 1 - std::pow(a.beta2, t), r = 2 / (1 - a.beta2) - 1, n = r - 2 * t * std::pow(a.beta2, t) / unbias;
  return n > 5 ? std::sqrt((n - 4) * (n - 2) * r / ((r - 4) * (r - 2) * n) * unbias) / (std::sqrt(v) + a.eps) : 1;
}

Status adam(const AdamStepArgs& a, Workspace&) {
  for (int64_t k = 0; a.rule == AdamRule::nadam && k < a.shape.tensors; ++k) a.tensors[k].step[1] *= nadam_momentum(a, a.tensors[k].step[0] + 1);
  for_each_element(a, [&](double& p, double g, double& m, double& v, double& greatest, double t) {
    if (a.decoupled)
      p *= 1 - *a.lr * a.weight_decay;
    else
      g += a.weight_decay * p;
    m = a.beta1 * m + (1 - a.beta1) * g;
    v = a.beta2 * v + (1 - a.beta2) * g * g;
    greatest = std::max(greatest, v);
    const double second = (a.amsgrad ? greatest : v) / (1 - std::pow(a.beta2, t)), mean = m / (1 - std::pow(a.beta1, t));
    if (a.rule == AdamRule::adam) p -= *a.lr * mean / (std::sqrt(second) + a.eps);
    if (a.rule == AdamRule::nadam) p -= *a.lr * nadam_mean(a, g, m, t) / (std::sqrt(second) + a.eps);
    if (a.rule == AdamRule::radam) p -= *a.lr * mean * radam_factor(a, v, t);
  });
  return Status::ok;
}

Status adagrad(const AdagradStepArgs& a, Workspace&) {
  for_each_element(a, [&](double& p, double g, double& squares, double&, double&, double t) {
    g += a.weight_decay * p;
    squares += g * g;
    p -= *a.lr / (1 + (t - 1) * a.lr_decay) * g / (std::sqrt(squares) + a.eps);
  });
  return Status::ok;
}

Status lion(const LionStepArgs& a, Workspace&) {
  for_each_element(a, [&](double& p, double g, double& m, double&, double&, double) {
    const double u = a.beta1 * m + (1 - a.beta1) * g;
    p -= *a.lr * ((u > 0) - (u < 0) + a.weight_decay * p);
    m = a.beta2 * m + (1 - a.beta2) * g;
  });
  return Status::ok;
}

Status lamb(const LambStepArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    for (int64_t k = 0; k < a.shape.tensors; ++k) {
      const OptimizerTensor& tensor = a.tensors[k];
      const double t = ++*tensor.step;
      T *p = static_cast<T*>(tensor.value), *m = static_cast<T*>(tensor.state[0]), *v = static_cast<T*>(tensor.state[1]);
      const T* g = static_cast<const T*>(tensor.source);
      const auto u = [&](int64_t i) {
        return m[i] / (1 - std::pow(a.beta1, t)) / (std::sqrt(v[i] / (1 - std::pow(a.beta2, t))) + a.eps) + a.weight_decay * p[i];
      };
      long double p_squares = 0, u_squares = 0;  // many equal values would bias a sum in double
      for (int64_t i = 0; i < tensor.count; ++i) {
        m[i] = static_cast<T>(a.beta1 * m[i] + (1 - a.beta1) * g[i]);
        v[i] = static_cast<T>(a.beta2 * v[i] + (1 - a.beta2) * g[i] * g[i]);
        p_squares += static_cast<long double>(p[i]) * p[i];
        u_squares += u(i) * u(i);
      }
      const double trust = p_squares > 0 && u_squares > 0 ? static_cast<double>(std::sqrt(p_squares / u_squares)) : 1;
      for (int64_t i = 0; i < tensor.count; ++i) p[i] = static_cast<T>(p[i] - *a.lr * trust * u(i));
    }
  });
  return Status::ok;
}

Status lookahead(const LookaheadStepArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    for (int64_t k = 0; k < a.shape.tensors; ++k) {
      const OptimizerTensor& t = a.tensors[k];
      if (std::fmod(++*t.step, static_cast<double>(a.period)) != 0) continue;
      T *p = static_cast<T*>(t.value), *slow = static_cast<T*>(t.state[0]);
      for (int64_t i = 0; i < t.count; ++i) p[i] = slow[i] = static_cast<T>(slow[i] + a.alpha * (static_cast<double>(p[i]) - slow[i]));
    }
  });
  return Status::ok;
}

Status rmsprop(const RmspropStepArgs& a, Workspace&) {
  for_each_element(a, [&](double& p, double g, double& v, double& b, double& average, double) {
    g += a.weight_decay * p;
    v = a.alpha * v + (1 - a.alpha) * g * g;
    if (a.centered) average = a.alpha * average + (1 - a.alpha) * g;
    const double d = g / (std::sqrt(a.centered ? v - average * average : v) + a.eps);
    b = a.momentum * b + d;
    p -= *a.lr * (a.momentum != 0 ? b : d);
  });
  return Status::ok;
}

Status ema(const EmaStepArgs& a, Workspace&) {
  for_each_element(a, [&](double& average, double p, double&, double&, double&, double t) {
    const double decay = a.warm_up ? std::min(a.decay, (1 + t) / (10 + t)) : a.decay;
    average += (1 - decay) * (p - average);
  });
  return Status::ok;
}

Status unscale_all(const UnscaleArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    for (int64_t k = 0; k < a.shape.tensors; ++k)
      for (int64_t i = 0; i < a.tensors[k].count; ++i) {
        T& x = static_cast<T*>(a.tensors[k].value)[i];
        if (!std::isfinite(x)) *a.found_inf = 1;
        x = static_cast<T>(x / *a.scale);
      }
  });
  return Status::ok;
}

Status clip(const ClipNormArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    long double total = 0;  // many equal values would bias a sum in double
    const auto each = [&](auto f) {
      for (int64_t k = 0; k < a.shape.tensors; ++k)
        for (int64_t i = 0; i < a.tensors[k].count; ++i) f(static_cast<T*>(a.tensors[k].value)[i]);
    };
    each([&](T x) {
      const double magnitude = std::fabs(static_cast<double>(x));
      if (!std::isinf(a.p))
        total += std::pow(magnitude, a.p);
      else if (!(magnitude <= total))  // keeps a NaN
        total = std::isnan(total) ? total : static_cast<long double>(magnitude);
    });
    *a.norm = static_cast<double>(std::isinf(a.p) ? total : std::pow(total, static_cast<long double>(1 / a.p)));
    const double scale = a.limit / (*a.norm + 1e-6);
    if (!(scale >= 1) && !std::isinf(a.limit)) each([&](T& x) { x = static_cast<T>(x * scale); });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(SgdStepArgs, sgd_step_reference){.name = "reference", .supports = supports, .run = unless_found<SgdStepArgs, sgd>};
TAPETUM_CANDIDATE(AdamStepArgs, adam_step_reference){.name = "reference", .supports = supports, .run = unless_found<AdamStepArgs, adam>};
TAPETUM_CANDIDATE(RmspropStepArgs, rmsprop_step_reference){.name = "reference", .supports = supports, .run = unless_found<RmspropStepArgs, rmsprop>};
TAPETUM_CANDIDATE(AdagradStepArgs, adagrad_step_reference){.name = "reference", .supports = supports, .run = unless_found<AdagradStepArgs, adagrad>};
TAPETUM_CANDIDATE(LionStepArgs, lion_step_reference){.name = "reference", .supports = supports, .run = unless_found<LionStepArgs, lion>};
TAPETUM_CANDIDATE(LambStepArgs, lamb_step_reference){.name = "reference", .supports = supports, .run = unless_found<LambStepArgs, lamb>};
TAPETUM_CANDIDATE(LookaheadStepArgs, lookahead_step_reference){
    .name = "reference", .supports = supports, .run = unless_found<LookaheadStepArgs, lookahead>};
TAPETUM_CANDIDATE(EmaStepArgs, ema_step_reference){.name = "reference", .supports = supports, .run = ema};
TAPETUM_CANDIDATE(UnscaleArgs, unscale_reference){.name = "reference", .supports = supports, .run = unscale_all};
TAPETUM_CANDIDATE(ClipNormArgs, clip_norm_reference){.name = "reference", .supports = supports, .run = clip};

}  // namespace tapetum::kernels
