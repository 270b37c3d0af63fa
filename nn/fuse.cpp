#include "nn/fuse.h"

#include <atomic>
#include <cstdlib>
#include <string_view>
#include <typeinfo>

#include "core/autograd/modes.h"
#include "core/ops/activation.h"
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

Tensor run_fused(Layer& first, Layer& second, const Tensor& x) {
  auto* norm = dynamic_cast<BatchNorm2d*>(&first);
  const ConvActivation activation = norm ? activation_of(second) : ConvActivation::none;
  return activation != ConvActivation::none && may_fuse(*norm) ? norm->forward_act(x, activation) : Tensor();
}

}  // namespace tapetum::nn
