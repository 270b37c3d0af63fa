#include "optim/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "core/autograd/modes.h"
#include "core/capture.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/view.h"
#include "core/profiler_scope.h"

namespace tapetum::optim {
namespace {

std::string state_key(size_t parameter, const char* name) { return fmt::format("state.{}.{}", parameter, name); }
std::string option_key(size_t group, const char* name) { return fmt::format("param_groups.{}.{}", group, name); }

Tensor scalar(double x, Device device = {}) { return full({}, x, DType::f64, device); }

// The step count, or what lies behind it.
Tensor number(const Tensor& step, int64_t i) { return view_of(step, {}, {}, i); }

struct Writer final : OptionVisitor {
  Writer(StateDict& state, size_t group) : state(state), group(group) {}
  using OptionVisitor::operator();
  void operator()(const char* name, double& value) override { state.set(option_key(group, name), scalar(value)); }
  StateDict& state;
  size_t group;
};

// Checks alone, or assigns.
struct Reader final : OptionVisitor {
  Reader(const StateDict& state, size_t group, std::vector<std::string>* wrong) : state(state), group(group), wrong(wrong) {}
  using OptionVisitor::operator();
  void operator()(const char* name, double& value) override {
    const Tensor* t = state.find(option_key(group, name));
    if (wrong && (!t || t->numel() != 1)) wrong->push_back(option_key(group, name));
    if (!wrong) value = t->item();
  }
  const StateDict& state;
  size_t group;
  std::vector<std::string>* wrong;
};

}  // namespace

void OptionVisitor::operator()(const char* name, bool& value) {
  double x = value;
  (*this)(name, x);
  value = x != 0;
}

void OptionVisitor::operator()(const char* name, std::array<double, 2>& values) {
  for (size_t i = 0; i < values.size(); ++i) (*this)(fmt::format("{}.{}", name, i).c_str(), values[i]);
}

void check_option(const char* optimizer, const char* name, double value, bool good) {
  if (!good) throw Error(fmt::format("{}: {} = {} is out of range", optimizer, name, value));
}

void Optimizer::add_group(const std::vector<Tensor>& parameters) {
  if (parameters.empty()) throw Error("optimizer: a group has no parameters");
  std::unordered_set<const TensorImpl*> known;
  for (const Group& g : groups_)
    for (const Entry& e : g.entries) known.insert(e.parameter.ref().get());
  Group group;
  for (const Tensor& p : parameters) {
    if (!known.insert(p.ref().get()).second) throw Error("optimizer: a parameter is given twice");
    group.entries.push_back({p, {}, {}});
  }
  groups_.push_back(std::move(group));
}

std::vector<Tensor> Optimizer::parameters(size_t group) const {
  std::vector<Tensor> all;
  for (const Entry& e : groups_.at(group).entries) all.push_back(e.parameter);
  return all;
}

double Optimizer::initial_lr(size_t group) {
  auto& known = groups_.at(group).initial_lr;
  if (!known) known = lr(group);
  return *known;
}

void Optimizer::zero_grad() {
  for (Group& g : groups_)
    for (Entry& e : g.entries) e.parameter.set_grad({});
}

void Optimizer::set_lr(double lr, size_t group) {
  lr_of(group) = lr;
  if (groups_.at(group).lr.defined()) device_lr(group);
}

void Optimizer::set_momentum(double momentum, size_t group) {
  if (captured_ && momentum != momentum_of(group))
    throw DeviceError(fmt::format("{}: a captured step keeps its momentum {}, got {}", name(), momentum_of(group), momentum));
  momentum_of(group) = momentum;
}

void Optimizer::make_state(Entry& e, size_t group) {
  if (!e.step.defined()) {
    refuse_capture(name(), "the first step makes the state: make one before");
    e.step = product_name() ? to(tensor({0, 1}, DType::f64), e.parameter.device()) : scalar(0, e.parameter.device());
  }
  const auto names = state_names(group);
  for (size_t j = 0; j < kStates; ++j)
    if (names[j] && !e.state[j].defined()) e.state[j] = full_like(e.parameter.detach(), j == 0 ? initial_state(group) : 0);
}

// Written only when the lr was changed. Not in a graph, which would write it again and again.
const Tensor& Optimizer::device_lr(size_t group) {
  Group& g = groups_[group];
  const Device device = g.entries[0].parameter.device();
  const double wanted = lr_of(group);
  if (!g.lr.defined() || g.lr_there != wanted) refuse_capture("lr", "it is set between replays");
  if (!g.lr.defined() || !(g.lr.device() == device)) {
    g.lr = scalar(wanted, device);
  } else if (g.lr_there != wanted) {
    copy_(g.lr, scalar(wanted, device));
  }
  g.lr_there = wanted;
  return g.lr;
}

void Optimizer::step(const Tensor& found_inf) {
  NoGrad no_grad;
  profiler::Scope profiled("optimizer step");
  captured_ |= current_capture() != nullptr;
  for (size_t group = 0; group < groups_.size(); ++group) {
    const auto names = state_names(group);
    std::vector<StepItem> items;
    for (Entry& e : groups_[group].entries) {
      if (!e.parameter.grad().defined()) continue;
      make_state(e, group);
      StepItem item{e.parameter, e.parameter.grad(), {}, e.step};
      for (size_t j = 0; j < kStates; ++j)
        if (names[j]) item.state[j] = e.state[j];
      items.push_back(std::move(item));
    }
    if (!items.empty()) run(group, items, {device_lr(group), found_inf});
  }
}

StateDict Optimizer::state_dict() const {
  StateDict state;
  size_t index = 0;
  for (size_t group = 0; group < groups_.size(); ++group) {
    const auto names = state_names(group);
    for (const Entry& e : groups_[group].entries) {
      if (e.step.defined()) state.set(state_key(index, "step"), number(e.step, 0));
      if (e.step.defined() && product_name()) state.set(state_key(index, product_name()), number(e.step, 1));
      for (size_t j = 0; j < kStates; ++j)
        if (names[j] && e.state[j].defined()) state.set(state_key(index, names[j]), e.state[j]);
      ++index;
    }
  }
  for (size_t group = 0; group < groups_.size(); ++group) {
    Writer writer(state, group);
    const_cast<Optimizer*>(this)->visit_options(group, writer);
    double size = static_cast<double>(groups_[group].entries.size());
    writer("size", size);
    if (auto initial = groups_[group].initial_lr) writer("initial_lr", *initial);
  }
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  std::vector<std::string> wrong;
  std::vector<std::vector<Entry>> loaded;
  size_t index = 0;
  for (size_t group = 0; group < groups_.size(); ++group) {
    const auto names = state_names(group);
    auto& entries = loaded.emplace_back();
    for (const Entry& e : groups_[group].entries) {
      Entry fresh{e.parameter, {}, {}};
      if (const Tensor* step = state.find(state_key(index, "step"))) {
        make_state(fresh, group);
        const auto copy = [&](Tensor to, const char* name) {
          const Tensor* from = state.find(state_key(index, name));
          if (!from || !(from->shape() == to.shape()))
            wrong.push_back(state_key(index, name));
          else
            copy_(to, tapetum::to(tapetum::to(*from, to.dtype()), to.device()));
        };
        if (step->numel() == 1) copy(number(fresh.step, 0), "step");
        if (product_name()) copy(number(fresh.step, 1), product_name());
        for (size_t j = 0; j < kStates; ++j)
          if (names[j]) copy(fresh.state[j], names[j]);
      }
      entries.push_back(std::move(fresh));
      ++index;
    }
    Reader check(state, group, &wrong);
    visit_options(group, check);
    const Tensor* size = state.find(option_key(group, "size"));
    if (!size || size->item() != static_cast<double>(entries.size())) wrong.push_back(option_key(group, "size"));
  }
  if (state.contains(option_key(groups_.size(), "lr"))) wrong.push_back(option_key(groups_.size(), "lr"));
  if (!wrong.empty()) throw Error(fmt::format("{}: the saved state does not fit these parameters: {}", name(), fmt::join(wrong, ", ")));
  for (size_t group = 0; group < groups_.size(); ++group) {
    groups_[group].entries = std::move(loaded[group]);
    Reader assign(state, group, nullptr);
    visit_options(group, assign);
    if (const Tensor* initial = state.find(option_key(group, "initial_lr"))) groups_[group].initial_lr = initial->item();
    set_lr(lr(group), group);
  }
}

}  // namespace tapetum::optim
