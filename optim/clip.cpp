#include "optim/clip.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <unordered_set>

#include "core/autograd/modes.h"
#include "core/capture.h"
#include "core/error.h"
#include "core/ops/activation.h"
#include "core/ops/launch.h"
#include "core/ops/optimizer.h"
#include "core/ops/view.h"

namespace tapetum::optim {
namespace {

// The gradients, each with memory of its own: a rule may hand one tensor to several parameters, or one element expanded.
std::vector<Tensor> own_gradients(const std::vector<Tensor>& parameters) {
  std::unordered_set<const Storage*> seen;
  std::vector<Tensor> gradients;
  for (Tensor p : parameters) {
    const Tensor g = p.grad();
    if (!g.defined()) continue;
    const bool whole = g.strides() == dense_strides_like(g);
    if (!seen.insert(g.impl().storage.get()).second || !whole) p.set_grad(clone(g));
    gradients.push_back(p.grad());
  }
  return gradients;
}

}  // namespace

Tensor clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, const ClipOptions& options) {
  NoGrad no_grad;
  const auto gradients = own_gradients(parameters);
  if (options.error_if_nonfinite) {
    refuse_capture("clip_grad_norm_", "error_if_nonfinite has to know the norm");
    const double norm = clip_norm_(gradients, std::numeric_limits<double>::infinity(), options.norm_type).item();
    if (!std::isfinite(norm)) throw Error(fmt::format("clip_grad_norm_: the gradients' norm is {}", norm));
  }
  return clip_norm_(gradients, max_norm, options.norm_type);
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double limit) {
  NoGrad no_grad;
  for (Tensor& g : own_gradients(parameters)) copy_(g, clamp(g, -limit, limit));
}

}  // namespace tapetum::optim
