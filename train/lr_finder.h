// A learning rate from a trial: the rate grows from step to step until the loss diverges (Smith 2017, Cyclical Learning Rates). Model, optimizer,
// random numbers and loader are afterwards what they were, bit for bit.
//
//   const train::LrSweep sweep = train::find_lr(model, optimizer, loader, step);   // the step that the Trainer takes
//   optimizer.set_lr(sweep.steepest);
#pragma once
#include <limits>
#include <utility>
#include <vector>

#include "core/random.h"
#include "nn/module.h"
#include "optim/optimizer.h"

namespace tapetum::train {

struct LrFinderOptions {
  double start = 1e-7, end = 10;  // the rates, growing by a constant factor; of the first parameter group, the others keep their ratio to it
  int64_t steps = 100;
  double smoothing = 0.9;  // of the loss: an exponential mean, corrected for its start; 0: none
  double divergence = 4;   // stop where the smoothed loss is so many times the best one
};

struct LrSweep {
  std::vector<double> lr, loss, smoothed;  // of each step; the one whose loss was not finite is left out
  bool diverged = false;                   // it ended before `end`
  // Suggestions, from the smoothed loss without the first tenth of the steps, where it is a mean of few: NaN where it never fell.
  double steepest = std::numeric_limits<double>::quiet_NaN();       // where it falls fastest by log(lr) on its way to the minimum
  double minimum_tenth = std::numeric_limits<double>::quiet_NaN();  // a tenth of the rate with the least loss
};

// The sweep itself, for a loop of one's own: while (!finder.done()) { finder.begin_step(); ...; finder.end_step(loss); }
class LrFinder {
 public:
  LrFinder(optim::Optimizer& optimizer, const LrFinderOptions& options);  // throws Error for options that make no sense
  bool done() const { return diverged_ || step_ == options_.steps; }
  void begin_step();  // sets the rates
  void end_step(double loss);
  LrSweep result() const;

 private:
  double rate() const;
  optim::Optimizer& optimizer_;
  LrFinderOptions options_;
  std::vector<double> ratios_;  // of the groups' rates to the first one's
  LrSweep sweep_;
  double mean_ = 0;
  int64_t step_ = 0;
  bool diverged_ = false;
};

// All that training changes: values, gradients and modes of a model, state and options of an optimizer, the random numbers' place.
class Snapshot {
 public:
  Snapshot(nn::Module& model, optim::Optimizer& optimizer);
  void restore() const;

 private:
  nn::Module& model_;
  optim::Optimizer& optimizer_;
  StateDict values_, optimizer_state_;
  std::vector<std::pair<Tensor, Tensor>> gradients_;  // of each parameter; undefined where there is none
  std::vector<std::pair<nn::Module*, bool>> modes_;
  GeneratorState random_;
};

[[noreturn]] void throw_no_batch();

// `step(batch)` trains with one batch and returns its loss; the loader is gone through as often as needed. No schedule may step in it: its rates
// would replace the trial's, and its place would not be put back. What a step throws comes out after all has been put back. Throws Error for a
// loader without a batch.
template <class Loader, class Step>
LrSweep find_lr(nn::Module& model, optim::Optimizer& optimizer, Loader& loader, Step&& step, const LrFinderOptions& options = {}) {
  const Snapshot before(model, optimizer);
  const auto position = [&] {
    if constexpr (requires { loader.state(); })
      return loader.state();
    else
      return 0;
  }();
  const auto put_back = [&] {
    before.restore();
    if constexpr (requires { loader.start(position.epoch, position.batches); }) loader.start(position.epoch, position.batches);
  };
  LrFinder finder(optimizer, options);
  try {
    while (!finder.done()) {
      bool any = false;
      for (auto& batch : loader) {
        any = true;
        finder.begin_step();
        finder.end_step(step(batch).item());
        if (finder.done()) break;
      }
      if (!any) throw_no_batch();
    }
  } catch (...) {
    put_back();
    throw;
  }
  put_back();
  return finder.result();
}

}  // namespace tapetum::train
