#include "core/engine/checkpoint.h"

#include <unordered_set>

#include "core/autograd/apply.h"
#include "core/autograd/recompute.h"
#include "core/engine/backward.h"
#include "core/ops/view.h"
#include "core/random.h"

namespace tapetum {
namespace {

// The leaves that y depends on, in the order in which they are met.
std::vector<Tensor> leaves_of(const Tensor& y) {
  std::vector<Tensor> leaves;
  std::unordered_set<const void*> seen;
  std::vector<Node*> open;
  if (y.impl().grad_fn) open.push_back(y.impl().grad_fn.get());
  while (!open.empty()) {
    Node* n = open.back();
    open.pop_back();
    if (!seen.insert(n).second) continue;
    for (const Input& in : n->inputs) {
      if (in.edge.leaf && seen.insert(in.edge.leaf.get()).second) leaves.push_back(Tensor(in.edge.leaf));
      if (in.edge.node) open.push_back(in.edge.node.get());
    }
  }
  return leaves;
}

struct CheckpointNode final : Node {
  const char* name() const override { return "checkpoint"; }

  // The segment again, on aliases of what was saved; its graph lives only as long as this call.
  Gradients backward(const Tensor* gys) override {
    std::vector<Tensor> inputs, wanted;
    const bool create_graph = modes.grad;
    {
      EnableGrad recording;
      const Autocast as_before(autocast.device, autocast.dtype, autocast.enabled);
      for (size_t i = 0; i < input_tensors; ++i) {
        const Tensor x = context.saved(i);
        inputs.push_back(!x.defined() || create_graph ? alias(x) : x.detach().set_requires_grad(x.requires_grad()));
      }
      const Tensor y = again(inputs);
      for (const Tensor& x : inputs)
        if (x.defined() && x.requires_grad()) wanted.push_back(x);
      for (size_t i = input_tensors; i < this->inputs.size(); ++i) wanted.push_back(context.saved(i));
      const auto found = grad({y}, wanted, {gys[0]}, {.create_graph = create_graph});
      Gradients gs(this->inputs.size());
      size_t next = 0;
      for (size_t i = 0; i < gs.size(); ++i)
        if (i >= input_tensors || (inputs[i].defined() && inputs[i].requires_grad())) gs[i] = found[next++];
      return gs;
    }
  }

  Tensor again(const std::vector<Tensor>& inputs) {
    const Recomputation here;
    const GeneratorState now = random_state();
    set_random_state(random);
    const Tensor y = fn(inputs);
    set_random_state(now);
    return y;
  }

  Segment fn;
  GeneratorState random;
  decltype(Modes::autocast) autocast;
  size_t input_tensors = 0;
};

}  // namespace

Tensor checkpoint(const Segment& fn, const std::vector<Tensor>& inputs) {
  if (!modes.grad) return fn(inputs);
  auto node = make_ref<CheckpointNode>();
  node->fn = fn;
  node->random = random_state();
  node->autocast = modes.autocast;
  node->input_tensors = inputs.size();
  std::vector<Tensor> aliases;
  for (const Tensor& x : inputs) {
    aliases.push_back(x.defined() ? x.detach().set_requires_grad(x.requires_grad()) : x);
    node->add_input(x);
    node->context.save(x);
  }
  const Tensor y = fn(aliases);  // recorded, to learn which parameters it uses; that graph ends here
  if (!y.requires_grad()) return y;
  for (const Tensor& leaf : leaves_of(y)) {
    bool own = false;
    for (const Tensor& a : aliases) own |= a.defined() && a.ref() == leaf.ref();
    if (own) continue;
    node->add_input(leaf);
    node->context.save(leaf);
  }
  Tensor result = y.detach();
  node->record(&result, 1);
  return result;
}

}  // namespace tapetum
