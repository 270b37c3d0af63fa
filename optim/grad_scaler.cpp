#include "optim/grad_scaler.h"

#include <fmt/format.h>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/compare.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"
#include "optim/lookahead.h"

namespace tapetum::optim {
namespace {

std::vector<Tensor> gradients_of(const Optimizer& optimizer) {
  std::vector<Tensor> gradients;
  for (size_t group = 0; group < optimizer.group_count(); ++group)
    for (const Tensor& p : optimizer.parameters(group))
      if (p.grad().defined()) gradients.push_back(p.grad());
  return gradients;
}

Tensor number(double x) { return full({}, x, DType::f64); }

}  // namespace

GradScaler::GradScaler(const GradScalerOptions& o) : options_(o), scale_(number(o.init_scale)), growth_tracker_(number(0)) {
  check_option("GradScaler", "init_scale", o.init_scale, o.init_scale > 0);
  check_option("GradScaler", "growth_factor", o.growth_factor, o.growth_factor > 1);
  check_option("GradScaler", "backoff_factor", o.backoff_factor, o.backoff_factor > 0 && o.backoff_factor < 1);
  check_option("GradScaler", "growth_interval", static_cast<double>(o.growth_interval), o.growth_interval >= 1);
}

Tensor GradScaler::scale(const Tensor& loss) {
  if (!options_.enabled) return loss;
  scale_ = to(scale_, loss.device());
  growth_tracker_ = to(growth_tracker_, loss.device());
  return loss * to(scale_, promote(loss.dtype(), DType::f32));
}

GradScaler::Entry& GradScaler::entry_of(const Optimizer& optimizer) {
  for (Entry& e : entries_)
    if (e.optimizer == &optimizer) return e;
  entries_.push_back({&optimizer, full({}, 0, DType::f64, scale_.device())});
  return entries_.back();
}

void GradScaler::unscale_(Optimizer& optimizer) {
  if (!options_.enabled) return;
  Entry& e = entry_of(optimizer);
  if (e.stepped) throw Error("GradScaler: unscale_ comes before step");
  if (e.unscaled) throw Error("GradScaler: unscale_ was called for this optimizer since the last update");
  e.unscaled = true;
  tapetum::unscale_(gradients_of(optimizer), scale_, e.found_inf);
}

void GradScaler::step(Optimizer& optimizer) {
  if (!options_.enabled) return optimizer.step();
  if (!entry_of(optimizer).unscaled) unscale_(optimizer);
  Entry& e = entry_of(optimizer);
  if (e.stepped) throw Error("GradScaler: step was called for this optimizer since the last update");
  e.stepped = true;
  optimizer.step(e.found_inf);
}

void GradScaler::step(Lookahead& lookahead) {
  step(lookahead.optimizer());
  lookahead.follow(options_.enabled ? entry_of(lookahead.optimizer()).found_inf : Tensor());
}

// The numbers stay where they are in memory.
void GradScaler::update() {
  if (!options_.enabled) return;
  Tensor found;
  NoGrad no_grad;
  for (Entry& e : entries_) {
    if (e.unscaled) found = found.defined() ? maximum(found, e.found_inf) : clone(e.found_inf);
    e.unscaled = e.stepped = false;
    e.found_inf.zero_();
  }
  if (!found.defined()) throw Error("GradScaler: update comes after a step");
  const Tensor bad = found > 0, good = growth_tracker_ + 1, grown = scale_ * options_.growth_factor;
  const Tensor due = good >= static_cast<double>(options_.growth_interval);
  copy_(scale_, where(bad, scale_ * options_.backoff_factor, where(logical_and(due, isfinite(to(grown, DType::f32))), grown, scale_)));
  copy_(growth_tracker_, where(logical_or(bad, due), full({}, 0, DType::f64, scale_.device()), good));
}

double GradScaler::get_scale() const { return options_.enabled ? to(scale_, Device()).item() : 1; }

StateDict GradScaler::state_dict() const {
  StateDict state;
  if (!options_.enabled) return state;
  state.set("scale", scale_);
  state.set("growth_tracker", growth_tracker_);
  state.set("growth_factor", number(options_.growth_factor));
  state.set("backoff_factor", number(options_.backoff_factor));
  state.set("growth_interval", number(static_cast<double>(options_.growth_interval)));
  return state;
}

void GradScaler::load_state_dict(const StateDict& state) {
  if (!options_.enabled) return;
  std::vector<std::string> wrong;
  const auto read = [&](const char* name) {
    const Tensor* t = state.find(name);
    if (t && t->numel() == 1) return to(to(reshape(*t, {}), DType::f64), Device()).item();
    wrong.push_back(name);
    return 0.0;
  };
  const double scale = read("scale"), tracker = read("growth_tracker");
  GradScalerOptions o = options_;
  o.growth_factor = read("growth_factor");
  o.backoff_factor = read("backoff_factor");
  o.growth_interval = static_cast<int64_t>(read("growth_interval"));
  if (!wrong.empty()) throw Error(fmt::format("GradScaler: the saved state lacks {}", fmt::join(wrong, ", ")));
  options_ = o;
  copy_(scale_, to(number(scale), scale_.device()));
  copy_(growth_tracker_, to(number(tracker), scale_.device()));
}

}  // namespace tapetum::optim
