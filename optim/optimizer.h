// What all optimizers share: groups of parameters with options of their own, state per parameter, saving. On tensors: it knows no module.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/ops/optimizer.h"
#include "core/serialization/state_dict.h"

namespace tapetum::optim {

template <class Options> struct ParameterGroup {
  std::vector<Tensor> parameters;
  Options options;
};

// Walks a group's options by name; what it assigns is kept.
struct OptionVisitor {
  virtual ~OptionVisitor() = default;
  virtual void operator()(const char* name, double& value) = 0;
  void operator()(const char* name, bool& value);
  void operator()(const char* name, std::array<double, 2>& values);  // "name.0", "name.1"
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  // Parameters without a gradient are left alone. Where found_inf, f64 [] on their device, is not 0, nothing changes: optim/grad_scaler.h.
  void step(const Tensor& found_inf = {});
  void zero_grad();

  size_t group_count() const { return groups_.size(); }
  std::vector<Tensor> parameters(size_t group = 0) const;
  double lr(size_t group = 0) const { return const_cast<Optimizer*>(this)->lr_of(group); }
  void set_lr(double lr, size_t group = 0);                                                             // also for the steps of a captured graph
  double momentum(size_t group = 0) const { return const_cast<Optimizer*>(this)->momentum_of(group); }  // Adam's beta1
  void set_momentum(double momentum, size_t group = 0);  // throws DeviceError for another one when a graph has captured a step: it would keep the old

  // The lr that schedules start from: the group's lr when the first scheduler was made.
  double initial_lr(size_t group);

  // "state.0.exp_avg", "state.0.step", "param_groups.0.lr", ...: tensors share the optimizer's data, options are f64 [].
  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);  // copies; throws an Error that lists all that does not fit, and then has changed nothing

 protected:
  Optimizer() = default;
  void add_group(const std::vector<Tensor>& parameters);  // throws Error for an empty list, or a parameter that has a group already

  static constexpr size_t kStates = 3;
  virtual const char* name() const = 0;
  virtual std::array<const char*, kStates> state_names(size_t group) const = 0;  // null: not used with these options
  virtual double initial_state(size_t) const { return 0; }                       // what the first state begins with
  virtual const char* product_name() const { return nullptr; }                   // of a second number that lies behind the step count, 1 at first
  virtual void visit_options(size_t group, OptionVisitor& v) = 0;
  virtual double& lr_of(size_t group) = 0;
  virtual double& momentum_of(size_t group) = 0;
  virtual void run(size_t group, const std::vector<StepItem>& items, const StepScalars& scalars) = 0;

 private:
  struct Entry {                             // of one parameter; state and step are made with its first gradient
    Tensor parameter, state[kStates], step;  // step: f64 [], or [2] with the second number
  };
  struct Group {
    std::vector<Entry> entries;
    std::optional<double> initial_lr;
    Tensor lr;  // the device's copy, and its value
    double lr_there = 0;
  };
  void make_state(Entry& entry, size_t group);
  const Tensor& device_lr(size_t group);

  std::vector<Group> groups_;
  bool captured_ = false;  // a step, by a graph
};

// An optimizer whose groups have options of type O.
template <class O> class GroupedOptimizer : public Optimizer {
 public:
  const O& options(size_t group = 0) const { return options_.at(group); }

 protected:
  explicit GroupedOptimizer(std::vector<ParameterGroup<O>> groups) {
    for (auto& group : groups) {
      group.options.check();
      add_group(group.parameters);
      options_.push_back(group.options);
    }
  }
  void visit_options(size_t group, OptionVisitor& v) final { O::fields(options_.at(group), v); }
  double& lr_of(size_t group) final { return options_.at(group).lr; }

  std::vector<O> options_;
};

void check_option(const char* optimizer, const char* name, double value, bool good);  // throws Error where it is not

}  // namespace tapetum::optim
