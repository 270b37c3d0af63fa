#include "train/lr_finder.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/view.h"
#include "train/early_stopping.h"

namespace tapetum::train {
namespace {

void require(bool good, const char* what, double got) {
  if (!good) throw Error(fmt::format("lr_finder: {}, got {}", what, got));
}

// Of evenly spaced values: central differences, one-sided at the ends.
double slope(const std::vector<double>& y, size_t i) {
  const size_t before = i ? i - 1 : i, after = std::min(i + 1, y.size() - 1);
  return (y[after] - y[before]) / static_cast<double>(after - before);
}

}  // namespace

LrFinder::LrFinder(optim::Optimizer& optimizer, const LrFinderOptions& o) : optimizer_(optimizer), options_(o) {
  require(o.start > 0 && std::isfinite(o.start), "start must be a number above 0", o.start);
  require(o.end > o.start && std::isfinite(o.end), "end must be a number above start", o.end);
  require(o.steps >= 2, "steps must be at least 2", static_cast<double>(o.steps));
  require(o.smoothing >= 0 && o.smoothing < 1, "smoothing must be in [0, 1)", o.smoothing);
  require(o.divergence > 1, "divergence must be above 1", o.divergence);
  for (size_t g = 0; g < optimizer.group_count(); ++g) ratios_.push_back(optimizer.lr(0) > 0 ? optimizer.lr(g) / optimizer.lr(0) : 1);
}

double LrFinder::rate() const {
  return options_.start * std::pow(options_.end / options_.start, static_cast<double>(step_) / static_cast<double>(options_.steps - 1));
}

void LrFinder::begin_step() {
  for (size_t g = 0; g < ratios_.size(); ++g) optimizer_.set_lr(rate() * ratios_[g], g);
}

void LrFinder::end_step(double loss) {
  diverged_ = !std::isfinite(loss);
  if (diverged_) return;
  mean_ = options_.smoothing * mean_ + (1 - options_.smoothing) * loss;
  const double smoothed = mean_ / (1 - std::pow(options_.smoothing, static_cast<double>(step_ + 1)));
  sweep_.lr.push_back(rate());
  sweep_.loss.push_back(loss);
  sweep_.smoothed.push_back(smoothed);
  ++step_;
  const double best = *std::min_element(sweep_.smoothed.begin(), sweep_.smoothed.end());
  diverged_ = smoothed > best + (options_.divergence - 1) * std::abs(best) && step_ < options_.steps;
}

LrSweep LrFinder::result() const {
  LrSweep sweep = sweep_;
  sweep.diverged = diverged_;
  const std::vector<double>& y = sweep.smoothed;
  const size_t first = std::min(static_cast<size_t>(options_.steps / 10), y.size());
  const auto lowest = std::min_element(y.begin() + static_cast<ptrdiff_t>(first), y.end());
  if (lowest == y.end() || !(*lowest < y[first])) return sweep;
  sweep.minimum_tenth = sweep.lr[static_cast<size_t>(lowest - y.begin())] / 10;
  size_t steepest = first;  // the falls behind the minimum are those of a loss that has begun to jump
  for (size_t i = first; y.begin() + static_cast<ptrdiff_t>(i) <= lowest; ++i)
    if (slope(y, i) < slope(y, steepest)) steepest = i;
  sweep.steepest = sweep.lr[steepest];
  return sweep;
}

Snapshot::Snapshot(nn::Module& model, optim::Optimizer& optimizer)
    : model_(model),
      optimizer_(optimizer),
      values_(deep_copy(model.state_dict())),
      optimizer_state_(deep_copy(optimizer.state_dict())),
      random_(random_state()) {
  const NoGrad no_grad;
  for (const Tensor& p : model.parameters()) gradients_.emplace_back(p, p.grad().defined() ? clone(p.grad()) : Tensor());
  model.for_each([&](nn::Module& m) { modes_.emplace_back(&m, m.training); });
}

void Snapshot::restore() const {
  const NoGrad no_grad;
  model_.load_state_dict(values_);
  optimizer_.load_state_dict(optimizer_state_);
  for (auto [parameter, gradient] : gradients_) parameter.set_grad(gradient.defined() ? clone(gradient) : Tensor());
  for (const auto& [module, training] : modes_) module->training = training;
  set_random_state(random_);
}

void throw_no_batch() { throw Error("find_lr: the loader has no batch"); }

}  // namespace tapetum::train
