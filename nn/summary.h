// What a model is made of: one line a module, with its output's shape, its parameters and its multiply-accumulates.
#pragma once
#include "nn/module.h"

namespace tapetum::nn {

struct SummaryRow {
  std::string name, type;  // "down.0.1", "BatchNorm2d"; the model itself has no name
  int depth = 0;           // 0: the model
  std::string output;      // shape, or shapes; empty where it never ran
  int64_t parameters = 0;  // its own and its children's; what is tied counts once
  int64_t macs = 0;        // of one forward, children included: convolutions and matrix products
};

// Runs the model in evaluation on the meta device, where tensors have shapes alone: nothing is computed. It must be a copy.
std::vector<SummaryRow> summarize_copy(Layer& model, const Shape& input);

// The model's rows for an f32 input of that shape; the model is left as it is.
template <std::derived_from<Layer> M> std::vector<SummaryRow> summarize(const M& model, const Shape& input) {
  M copy = clone(model);
  return summarize_copy(copy, input);
}

std::string to_string(const std::vector<SummaryRow>& rows);  // an aligned table, with totals

}  // namespace tapetum::nn
