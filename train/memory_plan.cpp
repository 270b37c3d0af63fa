#include "train/memory_plan.h"

#include <fmt/format.h>

#include <unordered_map>

#include "core/autograd/modes.h"
#include "core/memory.h"
#include "core/ops/creation.h"
#include "core/ops/reduce.h"
#include "core/random.h"
#include "optim/adam.h"

namespace tapetum::train {
namespace {

constexpr DeviceKind kMeta = DeviceKind::meta;

// While it lives the model's tensors have storage without data, in the mode and without the gradients that it had before.
class OnMeta {
 public:
  OnMeta(nn::Layer& model, bool training) : random_(random_state()) {
    std::unordered_map<const Storage*, Ref<Storage>> planned;  // tensors may share one
    for (const auto& tensors : {model.parameters(), model.buffers()})
      for (const Tensor& t : tensors) {
        Ref<Storage>& storage = planned[t.impl().storage.get()];
        if (!storage) storage = make_ref<Storage>(t.impl().storage->bytes, Device(kMeta));
        kept_.push_back({t, std::exchange(t.impl().storage, storage), std::exchange(t.impl().grad, {})});
      }
    model.for_each([&](nn::Module& m) { modes_.emplace_back(&m, std::exchange(m.training, training)); });
  }
  ~OnMeta() {
    for (Kept& k : kept_) {
      k.tensor.impl().storage = std::move(k.storage);
      k.tensor.impl().grad = std::move(k.grad);
    }
    for (auto& [module, training] : modes_) module->training = training;
    set_random_state(random_);
  }
  OnMeta(const OnMeta&) = delete;

 private:
  struct Kept {
    Tensor tensor;
    Ref<Storage> storage;
    Ref<TensorImpl> grad;
  };
  std::vector<Kept> kept_;
  std::vector<std::pair<nn::Module*, bool>> modes_;
  GeneratorState random_;
};

size_t used_since(size_t before) { return memory_allocated(kMeta) - before; }

std::vector<Tensor> learning(nn::Layer& model) {
  std::vector<Tensor> parameters = model.parameters();
  std::erase_if(parameters, [](const Tensor& p) { return !p.requires_grad(); });
  return parameters;
}

// A step with its loss; after each part of it `done` is told.
template <class F> void step(nn::Layer& model, optim::Optimizer& optimizer, const Tensor& x, const MemoryPlanOptions& o, F done) {
  {
    const Tensor y = model(x), loss = o.loss ? o.loss(y) : sum(y);
    done("forward");
    loss.backward();
    done("backward");
  }
  optimizer.step();
  done("optimizer");
}

}  // namespace

MemoryPlan memory_plan(nn::Layer& model, const Shape& input, const MemoryPlanOptions& o) {
  MemoryPlan plan;
  const size_t start = memory_allocated(kMeta);
  const OnMeta on_meta(model, o.training);
  plan.parameters = used_since(start);
  const Tensor x = empty(input, DType::f32, kMeta);
  plan.input = used_since(start) - plan.parameters;

  Modes wanted = modes;
  wanted.grad = o.training;
  const ModesGuard planning(wanted);
  std::unique_ptr<optim::Optimizer> optimizer;
  if (o.training) {
    const auto parameters = learning(model);
    optimizer = o.optimizer ? o.optimizer(parameters) : std::make_unique<optim::Adam>(parameters);
    for (const Tensor& p : parameters) p.impl().grad = empty_like(p).ref();
    const size_t before = used_since(start);
    optimizer->step();
    plan.optimizer = used_since(start) - before;
    optimizer->zero_grad();
  }
  reset_peak_memory(kMeta);
  const size_t before = used_since(start);
  const auto note = [&](const char* part) {
    if (peak_memory(kMeta) - start > plan.peak) plan.at = part;
    plan.peak = peak_memory(kMeta) - start;
  };
  if (o.training) {
    step(model, *optimizer, x, o, note);
    plan.gradients = used_since(start) - before;
  } else {
    model(x);
    note("forward");
  }
  plan.workspace = workspace_at_peak();
  plan.activations = plan.peak - plan.parameters - plan.optimizer - plan.input - plan.workspace;
  return plan;
}

std::string to_string(const MemoryPlan& plan) {
  const std::pair<const char*, size_t> rows[] = {
      {"parameters and buffers", plan.parameters},     {"optimizer", plan.optimizer}, {"input", plan.input},
      {"activations and gradients", plan.activations}, {"workspace", plan.workspace}, {"peak", plan.peak}};
  std::string table;
  for (const auto& [name, bytes] : rows) table += fmt::format("{:<26}{:>10.1f} MB\n", name, static_cast<double>(bytes) / 1e6);
  return table + fmt::format("the peak lies in: {}\n", plan.at);
}

}  // namespace tapetum::train
