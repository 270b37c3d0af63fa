// Learning rates over time: each schedule is a function of the epoch (or step: whatever step() is called after) and the initial rate.
// Names, formulas and defaults as torch.optim.lr_scheduler. Making one sets the rate of epoch 0.
#pragma once
#include <concepts>
#include <memory>

#include "core/function.h"
#include "optim/optimizer.h"

namespace tapetum::optim {

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  Scheduler(Scheduler&&) = default;

  void step();  // after the optimizer's steps of an epoch
  int64_t last_epoch() const { return epoch_; }
  std::vector<double> last_lr() const;  // of each group

  StateDict state_dict() const;                  // "last_epoch", f64 []; present and initial rates are saved by the optimizer
  void load_state_dict(const StateDict& state);  // throws Error naming what is missing

 protected:
  explicit Scheduler(Optimizer& optimizer);  // keeps a reference
  virtual void apply(int64_t epoch) = 0;     // sets the groups' rates; constructors end with apply(0)

  Optimizer* optimizer_;
  int64_t epoch_ = 0;
  friend class SequentialLR;
};

// A schedule that is one formula.
class FormulaLR : public Scheduler {
 protected:
  using Scheduler::Scheduler;
  void apply(int64_t epoch) override;
  virtual double lr_at(int64_t epoch, double base, size_t group) const = 0;
};

// base * gamma^(epoch / step_size), rounded down
class StepLR final : public FormulaLR {
 public:
  StepLR(Optimizer& optimizer, int64_t step_size, double gamma = 0.1);

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  int64_t step_size_;
  double gamma_;
};

// base * gamma^(how many milestones have been reached)
class MultiStepLR final : public FormulaLR {
 public:
  MultiStepLR(Optimizer& optimizer, std::vector<int64_t> milestones, double gamma = 0.1);

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  std::vector<int64_t> milestones_;
  double gamma_;
};

// base * gamma^epoch
class ExponentialLR final : public FormulaLR {
 public:
  ExponentialLR(Optimizer& optimizer, double gamma);

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  double gamma_;
};

struct LinearLROptions {
  double start_factor = 1.0 / 3, end_factor = 1;
  int64_t total_iters = 5;
};

// Warm-up: the factor goes from start to end along a line, and stays there
class LinearLR final : public FormulaLR {
 public:
  explicit LinearLR(Optimizer& optimizer, const LinearLROptions& options = {});

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  LinearLROptions options_;
};

// eta_min + (base - eta_min) (1 + cos(pi epoch / t_max)) / 2 (Loshchilov and Hutter 2017, without restarts)
class CosineAnnealingLR final : public FormulaLR {
 public:
  CosineAnnealingLR(Optimizer& optimizer, int64_t t_max, double eta_min = 0);

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  int64_t t_max_;
  double eta_min_;
};

struct WarmRestartsOptions {
  int64_t t_mult = 1;  // each period is so many times longer than the one before
  double eta_min = 0;
};

// The cosine begun anew after t_0 epochs, then t_0 t_mult, ...
class CosineAnnealingWarmRestarts final : public FormulaLR {
 public:
  CosineAnnealingWarmRestarts(Optimizer& optimizer, int64_t t_0, const WarmRestartsOptions& options = {});

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  int64_t t_0_;
  WarmRestartsOptions options_;
};

// base * factor(epoch)
class LambdaLR final : public FormulaLR {
 public:
  using Factor = Function<double(int64_t epoch)>;
  LambdaLR(Optimizer& optimizer, const Factor& factor);
  LambdaLR(Optimizer& optimizer, std::vector<Factor> factors);  // one for each group

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  std::vector<Factor> factors_;
};

struct OneCycleOptions {
  double max_lr = 0;                                 // 0: each group's own rate
  int64_t total_steps = 0;                           // required; a later step throws Error
  double pct_start = 0.3;                            // of the steps, in which the rate rises
  bool cosine = true;                                // else along lines
  bool cycle_momentum = true;                        // not with captured graphs: set_momentum
  double base_momentum = 0.85, max_momentum = 0.95;  // momentum (Adam's beta1) falls while the rate rises
  double div_factor = 25;                            // the first rate is max_lr / div_factor
  double final_div_factor = 1e4;                     // the last is the first / final_div_factor
  bool three_phase = false;                          // a fall as long as the rise, then annihilation
};

// Smith and Topin 2018: up to max_lr, then down to almost nothing. Called after every batch.
class OneCycleLR final : public FormulaLR {
 public:
  OneCycleLR(Optimizer& optimizer, const OneCycleOptions& options);

 private:
  double lr_at(int64_t epoch, double base, size_t group) const override;
  void apply(int64_t epoch) override;
  double between(int64_t epoch, std::array<double, 4> levels) const;
  OneCycleOptions options_;
};

// One schedule after another, each from its own epoch 0: the i-th ends at the i-th milestone.
//   SequentialLR(optimizer, {5}, LinearLR(optimizer), CosineAnnealingLR(optimizer, 95))
class SequentialLR final : public Scheduler {
 public:
  template <std::derived_from<Scheduler>... S>
  SequentialLR(Optimizer& optimizer, std::vector<int64_t> milestones, S... schedulers) : Scheduler(optimizer), milestones_(std::move(milestones)) {
    (parts_.push_back(std::make_unique<S>(std::move(schedulers))), ...);
    check();
    apply(0);
  }

 private:
  void check() const;  // throws Error unless there is one milestone between each two schedulers, in ascending order
  void apply(int64_t epoch) override;
  std::vector<std::unique_ptr<Scheduler>> parts_;
  std::vector<int64_t> milestones_;
};

}  // namespace tapetum::optim
