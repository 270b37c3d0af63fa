// How much memory a model takes on the CPU, before it takes any: a step is gone through on the meta device, where tensors have shapes alone,
// by the same engine, and with the workspaces of the kernels that would run.
//
//   const train::MemoryPlan plan = train::memory_plan(model, {8, 3, 256, 256});
//   fmt::print("{}", to_string(plan));
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/function.h"
#include "nn/module.h"
#include "optim/optimizer.h"

namespace tapetum::train {

struct MemoryPlanOptions {
  bool training = true;                                                                 // false: one call in evaluation, without gradients
  Function<Tensor(const Tensor& y)> loss{};                                             // of the model's result, on the meta device; none: its sum
  Function<std::unique_ptr<optim::Optimizer>(const std::vector<Tensor>&)> optimizer{};  // none: Adam; for parameters that learn
};

// In bytes; a peak is the sum of parameters, optimizer, input, activations and workspace.
struct MemoryPlan {
  size_t parameters = 0;  // and buffers
  size_t optimizer = 0;   // its state
  size_t input = 0;
  size_t activations = 0;  // at the peak: what the gradients need, and the gradients that are there
  size_t workspace = 0;    // at the peak: of the kernel that runs
  size_t peak = 0;
  size_t gradients = 0;  // of all parameters, when backward is done
  std::string at;        // the part in which the peak lies: "forward" with the loss, "backward" or "optimizer"
};

// Of the model's second step of training, when the optimizer has its state, or of a call. The input is f32. The model is left as it is; its
// hooks run. Throws DeviceError where it asks for a tensor's values, which the meta device has not. One at a time in a process.
MemoryPlan memory_plan(nn::Layer& model, const Shape& input, const MemoryPlanOptions& options = {});

std::string to_string(const MemoryPlan& plan);  // an aligned table in MB, 1e6 bytes

}  // namespace tapetum::train
