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

Status adam(const AdamStepArgs& a, Workspace&) {
  for_each_element(a, [&](double& p, double g, double& m, double& v, double& greatest, double t) {
    if (a.decoupled)
      p *= 1 - *a.lr * a.weight_decay;
    else
      g += a.weight_decay * p;
    m = a.beta1 * m + (1 - a.beta1) * g;
    v = a.beta2 * v + (1 - a.beta2) * g * g;
    greatest = std::max(greatest, v);
    const double second = (a.amsgrad ? greatest : v) / (1 - std::pow(a.beta2, t));
    p -= *a.lr * m / (1 - std::pow(a.beta1, t)) / (std::sqrt(second) + a.eps);
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

TAPETUM_CANDIDATE(SgdStepArgs, sgd_step_reference){.name = "reference", .supports = supports, .run = sgd};
TAPETUM_CANDIDATE(AdamStepArgs, adam_step_reference){.name = "reference", .supports = supports, .run = adam};
TAPETUM_CANDIDATE(RmspropStepArgs, rmsprop_step_reference){.name = "reference", .supports = supports, .run = rmsprop};
TAPETUM_CANDIDATE(EmaStepArgs, ema_step_reference){.name = "reference", .supports = supports, .run = ema};
TAPETUM_CANDIDATE(ClipNormArgs, clip_norm_reference){.name = "reference", .supports = supports, .run = clip};

}  // namespace tapetum::kernels
