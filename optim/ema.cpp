#include "optim/ema.h"

#include <fmt/core.h>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "optim/averages.h"

namespace tapetum::optim {

EMA::EMA(std::vector<Tensor> tensors, const EMAOptions& options) : tensors_(std::move(tensors)), options_(options) {
  if (!(options.decay >= 0 && options.decay <= 1)) throw Error(fmt::format("EMA: decay must lie in [0, 1], got {}", options.decay));
  NoGrad no_grad;
  for (const Tensor& t : tensors_) averages_.push_back(clone(t.detach()));
  steps_ = zeros({static_cast<int64_t>(tensors_.size())}, DType::f64, tensors_.empty() ? Device() : tensors_[0].device());
}

void EMA::update() {
  NoGrad no_grad;
  std::vector<StepItem> items;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (is_floating(tensors_[i].dtype()))
      items.push_back({averages_[i], tensors_[i].detach(), {}, view_of(steps_, {}, {}, static_cast<int64_t>(i))});
    else
      copy_(averages_[i], tensors_[i]);
  }
  ema_step_(items, {.decay = options_.decay, .warm_up = options_.warm_up});
}

void EMA::swap() {
  NoGrad no_grad;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor keep = clone(tensors_[i].detach());
    copy_(tensors_[i], averages_[i]);
    copy_(averages_[i], keep);
  }
}

StateDict EMA::state_dict() const { return saved_averages("average", averages_, steps_); }
void EMA::load_state_dict(const StateDict& state) { load_averages("EMA", "average", state, averages_, steps_); }

}  // namespace tapetum::optim
