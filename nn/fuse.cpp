#include "nn/fuse.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string_view>
#include <typeinfo>

#include "core/autograd/modes.h"
#include "core/ops/activation.h"
#include "core/ops/elementwise.h"
#include "nn/activation.h"

namespace tapetum::nn {
namespace {

bool wished() {
  const char* wish = std::getenv("TAPETUM_FUSE");
  return !wish || std::string_view(wish) != "0";
}

std::atomic<bool> fuse{wished()};

// A class derived from L may do something else.
template <class L> bool is_plain(Layer& layer) { return typeid(layer) == typeid(L) && !layer.hooked(); }

bool may_fuse(BatchNorm2d& norm) { return fusion() && !modes.anomaly && !modes.tracer && is_plain<BatchNorm2d>(norm); }

bool is_recorded(std::initializer_list<const Tensor*> inputs) {
  return modes.grad && std::any_of(inputs.begin(), inputs.end(), [](const Tensor* t) { return t->defined() && t->requires_grad(); });
}

// A sum of two types has the wider one, which a convolution's result has not.
bool has_type_of_result(const Tensor& residual, const Tensor& x) {
  return !residual.defined() || residual.dtype() == (modes.autocast.enabled ? modes.autocast.dtype : x.dtype());
}

// (What does not fit together runs apart, to be named by the layer that finds out.)
bool may_fuse(Conv2d& conv, BatchNorm2d& norm, const Tensor& x, const Tensor& residual) {
  return may_fuse(norm) && (is_plain<Conv2d>(conv) || is_plain<Conv2dSame>(conv)) && norm.is_fixed() && x.dim() == 4 &&
         conv.weight.size(0) == norm.running_mean.size(0) && has_type_of_result(residual, x) &&
         !is_recorded({&x, &residual, &conv.weight, &conv.bias, &norm.weight, &norm.bias});
}

Tensor fused(Conv2d& conv, BatchNorm2d& norm, ConvActivation activation, const Tensor& x, const Tensor& residual) {
  const ChannelAffine affine = batch_norm_affine(norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.options.eps);
  return conv.forward_act(x, affine, residual, activation);
}

// none: no activation that is known here.
ConvActivation activation_of(Layer& layer) {
  if (is_plain<ReLU>(layer)) return ConvActivation::relu;
  return is_plain<SiLU>(layer) ? ConvActivation::silu : ConvActivation::none;
}

}  // namespace

bool fusion() { return fuse; }
void set_fusion(bool on) { fuse = on; }

Tensor norm_act(BatchNorm2d& norm, ConvActivation activation, const Tensor& x) {
  return may_fuse(norm) ? norm.forward_act(x, activation) : activate(norm(x), activation);
}

Tensor conv_norm_act(Conv2d& conv, BatchNorm2d& norm, ConvActivation activation, const Tensor& x, const Tensor& residual) {
  if (may_fuse(conv, norm, x, residual)) return fused(conv, norm, activation, x, residual);
  return residual.defined() ? activate(norm(conv(x)) + residual, activation) : norm_act(norm, activation, conv(x));
}

Fused run_fused(Layer& first, Layer* second, Layer* third, const Tensor& x) {
  if (!second) return {};
  if (auto* norm = dynamic_cast<BatchNorm2d*>(&first)) {
    const ConvActivation activation = activation_of(*second);
    return activation != ConvActivation::none && may_fuse(*norm) ? Fused{norm->forward_act(x, activation), 2} : Fused();
  }
  auto* conv = dynamic_cast<Conv2d*>(&first);
  auto* norm = conv ? dynamic_cast<BatchNorm2d*>(second) : nullptr;
  if (!norm || !may_fuse(*conv, *norm, x, {})) return {};
  const ConvActivation activation = third ? activation_of(*third) : ConvActivation::none;
  return {fused(*conv, *norm, activation, x, {}), activation == ConvActivation::none ? size_t{2} : size_t{3}};
}

}  // namespace tapetum::nn
