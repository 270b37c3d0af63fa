#include "optim/scheduler.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/ops/creation.h"

namespace tapetum::optim {
namespace {

double cosine(double from, double to, double fraction) { return to + (from - to) * (1 + std::cos(std::numbers::pi * fraction)) / 2; }

void check_positive(const char* schedule, const char* what, double value) {
  if (!(value > 0)) throw Error(fmt::format("{}: {} must be positive, got {}", schedule, what, value));
}

// How many milestones lie at or before the epoch.
size_t reached(const std::vector<int64_t>& milestones, int64_t epoch) {
  return static_cast<size_t>(std::upper_bound(milestones.begin(), milestones.end(), epoch) - milestones.begin());
}

}  // namespace

Scheduler::Scheduler(Optimizer& optimizer) : optimizer_(&optimizer) {
  for (size_t g = 0; g < optimizer.group_count(); ++g) optimizer.initial_lr(g);  // from now on fixed
}

void Scheduler::step() {
  apply(epoch_ + 1);
  ++epoch_;
}

std::vector<double> Scheduler::last_lr() const {
  std::vector<double> all;
  for (size_t g = 0; g < optimizer_->group_count(); ++g) all.push_back(optimizer_->lr(g));
  return all;
}

StateDict Scheduler::state_dict() const {
  StateDict state;
  state.set("last_epoch", full({}, static_cast<double>(epoch_), DType::f64));
  return state;
}

void Scheduler::load_state_dict(const StateDict& state) { epoch_ = static_cast<int64_t>(state.at("last_epoch").item()); }

void FormulaLR::apply(int64_t epoch) {
  for (size_t g = 0; g < optimizer_->group_count(); ++g) optimizer_->set_lr(lr_at(epoch, optimizer_->initial_lr(g), g), g);
}

StepLR::StepLR(Optimizer& optimizer, int64_t step_size, double gamma) : FormulaLR(optimizer), step_size_(step_size), gamma_(gamma) {
  check_positive("StepLR", "step_size", static_cast<double>(step_size));
  apply(0);
}

double StepLR::lr_at(int64_t epoch, double base, size_t) const { return base * std::pow(gamma_, static_cast<double>(epoch / step_size_)); }

MultiStepLR::MultiStepLR(Optimizer& optimizer, std::vector<int64_t> milestones, double gamma)
    : FormulaLR(optimizer), milestones_(std::move(milestones)), gamma_(gamma) {
  std::sort(milestones_.begin(), milestones_.end());
  apply(0);
}

double MultiStepLR::lr_at(int64_t epoch, double base, size_t) const {
  return base * std::pow(gamma_, static_cast<double>(reached(milestones_, epoch)));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, double gamma) : FormulaLR(optimizer), gamma_(gamma) { apply(0); }

double ExponentialLR::lr_at(int64_t epoch, double base, size_t) const { return base * std::pow(gamma_, static_cast<double>(epoch)); }

LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options) : FormulaLR(optimizer), options_(options) {
  check_positive("LinearLR", "start_factor", options.start_factor);
  check_positive("LinearLR", "total_iters", static_cast<double>(options.total_iters));
  apply(0);
}

double LinearLR::lr_at(int64_t epoch, double base, size_t) const {
  const auto& o = options_;
  const double fraction = static_cast<double>(std::min(epoch, o.total_iters)) / static_cast<double>(o.total_iters);
  return base * (o.start_factor + (o.end_factor - o.start_factor) * fraction);
}

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, int64_t t_max, double eta_min) : FormulaLR(optimizer), t_max_(t_max), eta_min_(eta_min) {
  check_positive("CosineAnnealingLR", "t_max", static_cast<double>(t_max));
  apply(0);
}

double CosineAnnealingLR::lr_at(int64_t epoch, double base, size_t) const {
  return cosine(base, eta_min_, static_cast<double>(epoch) / static_cast<double>(t_max_));
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer, int64_t t_0, const WarmRestartsOptions& options)
    : FormulaLR(optimizer), t_0_(t_0), options_(options) {
  check_positive("CosineAnnealingWarmRestarts", "t_0", static_cast<double>(t_0));
  check_positive("CosineAnnealingWarmRestarts", "t_mult", static_cast<double>(options.t_mult));
  apply(0);
}

double CosineAnnealingWarmRestarts::lr_at(int64_t epoch, double base, size_t) const {
  int64_t period = t_0_;
  for (; epoch >= period; period *= options_.t_mult) epoch -= period;
  return cosine(base, options_.eta_min, static_cast<double>(epoch) / static_cast<double>(period));
}

LambdaLR::LambdaLR(Optimizer& optimizer, const Factor& factor) : LambdaLR(optimizer, std::vector<Factor>(optimizer.group_count(), factor)) {}

LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<Factor> factors) : FormulaLR(optimizer), factors_(std::move(factors)) {
  if (factors_.size() != optimizer.group_count())
    throw Error(fmt::format("LambdaLR: {} functions for {} groups", factors_.size(), optimizer.group_count()));
  apply(0);
}

double LambdaLR::lr_at(int64_t epoch, double base, size_t group) const { return base * factors_[group](epoch); }

OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleOptions& options) : FormulaLR(optimizer), options_(options) {
  if (!(options.max_lr >= 0)) throw Error(fmt::format("OneCycleLR: max_lr must be at least 0, got {}", options.max_lr));
  check_positive("OneCycleLR", "total_steps", static_cast<double>(options.total_steps));
  if (!(options.pct_start >= 0 && options.pct_start <= 1))
    throw Error(fmt::format("OneCycleLR: pct_start must lie in [0, 1], got {}", options.pct_start));
  apply(0);
}

// Levels at the ends of the phases: rise, (fall,) annihilation.
double OneCycleLR::between(int64_t epoch, std::array<double, 4> levels) const {
  const auto& o = options_;
  const double step = static_cast<double>(epoch), last = static_cast<double>(o.total_steps) - 1;
  const double rise = o.pct_start * static_cast<double>(o.total_steps) - 1;
  const double ends[] = {0, rise, o.three_phase ? 2 * rise : last, last};
  int phase = 0;
  while (phase < (o.three_phase ? 2 : 1) && step > ends[phase + 1]) ++phase;
  const double from = levels[phase], to = levels[phase + 1], length = ends[phase + 1] - ends[phase];
  const double fraction = length > 0 ? (step - ends[phase]) / length : 1;  // a phase of no steps is over
  return o.cosine ? cosine(from, to, fraction) : from + (to - from) * fraction;
}

double OneCycleLR::lr_at(int64_t epoch, double base, size_t) const {
  const auto& o = options_;
  const double highest = o.max_lr > 0 ? o.max_lr : base, first = highest / o.div_factor, last = first / o.final_div_factor;
  return between(epoch, {first, highest, o.three_phase ? first : last, last});
}

void OneCycleLR::apply(int64_t epoch) {
  const auto& o = options_;
  if (epoch > o.total_steps) throw Error(fmt::format("OneCycleLR: step {} of {}", epoch, o.total_steps));
  FormulaLR::apply(epoch);
  if (!o.cycle_momentum) return;
  const double momentum = between(epoch, {o.max_momentum, o.base_momentum, o.max_momentum, o.max_momentum});
  for (size_t g = 0; g < optimizer_->group_count(); ++g) optimizer_->set_momentum(momentum, g);
}

void SequentialLR::check() const {
  if (parts_.size() != milestones_.size() + 1 || !std::is_sorted(milestones_.begin(), milestones_.end()))
    throw Error(fmt::format("SequentialLR: {} schedulers need one milestone less, in ascending order, got {}", parts_.size(), milestones_.size()));
}

void SequentialLR::apply(int64_t epoch) {
  const size_t part = reached(milestones_, epoch);
  parts_[part]->apply(epoch - (part ? milestones_[part - 1] : 0));
}

}  // namespace tapetum::optim
