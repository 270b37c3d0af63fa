#include "optim/lookahead.h"

#include "core/autograd/modes.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "optim/averages.h"

namespace tapetum::optim {

Lookahead::Lookahead(Optimizer& optimizer, const LookaheadOptions& options) : optimizer_(&optimizer), options_(options) {
  check_option("Lookahead", "k", static_cast<double>(options.k), options.k >= 1);
  check_option("Lookahead", "alpha", options.alpha, options.alpha >= 0 && options.alpha <= 1);
  NoGrad no_grad;
  for (size_t group = 0; group < optimizer.group_count(); ++group)
    for (const Tensor& p : optimizer.parameters(group)) {
      fast_.push_back(p);
      slow_.push_back(clone(p.detach()));
    }
  steps_ = zeros({static_cast<int64_t>(fast_.size())}, DType::f64, fast_[0].device());
}

void Lookahead::step() {
  optimizer_->step();
  follow();
}

void Lookahead::follow(const Tensor& found_inf) {
  NoGrad no_grad;
  std::vector<StepItem> items;
  for (size_t i = 0; i < fast_.size(); ++i) items.push_back({fast_[i], {}, {slow_[i]}, view_of(steps_, {}, {}, static_cast<int64_t>(i))});
  lookahead_step_(items, {.alpha = options_.alpha, .period = options_.k}, found_inf);
}

StateDict Lookahead::state_dict() const { return saved_averages("slow", slow_, steps_); }
void Lookahead::load_state_dict(const StateDict& state) { load_averages("Lookahead", "slow", state, slow_, steps_); }

}  // namespace tapetum::optim
