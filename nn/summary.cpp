#include "nn/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "core/autograd/apply.h"
#include "core/error.h"

namespace tapetum::nn {
namespace {

// Multiply-accumulates of one operation.
int64_t macs_of(std::string_view op, const Tensor* inputs, const Tensor& output) {
  const auto per_row = [&] { return inputs[1].size(0) ? inputs[1].numel() / inputs[1].size(0) : 0; };  // of a weight [K, ...]
  if (op == "conv2d" || op == "linear") return output.numel() * per_row();
  if (op == "conv2d_grad_input") return inputs[0].numel() * per_row();  // a transposed convolution spreads each input value
  if (op == "matmul") return output.numel() * inputs[0].size(-1);
  return 0;
}

// Adds each operation's work to all modules that are running.
struct Counter final : Tracer {
  void op(const OpInfo& info, const std::string&, const Tensor* inputs, size_t, const Tensor* outputs, size_t) override {
    const int64_t macs = macs_of(info.name, inputs, outputs[0]);
    for (SummaryRow* row : running) row->macs += macs;
  }
  std::vector<SummaryRow*> running;
};

std::string shapes_of(const std::vector<Tensor>& outputs) {
  std::string text;
  for (const Tensor& t : outputs) text += (text.empty() ? "" : ", ") + tapetum::to_string(t.shape());
  return text;
}

int depth_of(const std::string& name) { return name.empty() ? 0 : 1 + static_cast<int>(std::count(name.begin(), name.end(), '.')); }

std::string with_commas(int64_t n) {
  std::string digits = std::to_string(n);
  for (int64_t i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3) digits.insert(static_cast<size_t>(i), ",");
  return digits;
}

}  // namespace

std::vector<SummaryRow> summarize_copy(Layer& model, const Shape& input) {
  model.to(DeviceKind::meta);
  model.eval();
  const auto modules = model.named_modules();
  std::vector<SummaryRow> rows(modules.size());
  Counter counter;
  for (size_t i = 0; i < modules.size(); ++i) {
    auto& [name, module] = modules[i];
    rows[i] = {name, module->type_name(), depth_of(name), "", module->parameter_count(), 0};
    SummaryRow* row = &rows[i];
    module->register_forward_pre_hook([&counter, row](Module&, std::vector<Tensor>&) { counter.running.push_back(row); });
    module->register_forward_hook([&counter, row](Module&, const std::vector<Tensor>&, std::vector<Tensor>& outputs) {
      counter.running.pop_back();
      row->output = shapes_of(outputs);
    });
  }
  ModesGuard traced({.grad = false, .tracer = &counter});
  model(empty(input, DType::f32, DeviceKind::meta));
  return rows;
}

std::string to_string(const std::vector<SummaryRow>& rows) {
  std::vector<std::array<std::string, 4>> cells{{"layer", "output", "parameters", "MACs"}};
  for (const SummaryRow& row : rows) {
    const std::string last = row.name.substr(row.name.rfind('.') + 1);
    const std::string label = std::string(2 * static_cast<size_t>(row.depth), ' ') + (last.empty() ? "" : last + " ") + row.type;
    cells.push_back({label, row.output, with_commas(row.parameters), with_commas(row.macs)});
  }
  size_t width[4] = {};
  for (const auto& line : cells)
    for (size_t i = 0; i < 4; ++i) width[i] = std::max(width[i], line[i].size());
  std::string table;
  for (const auto& line : cells)
    table += fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}\n", line[0], width[0], line[1], width[1], line[2], width[2], line[3], width[3]);
  if (!rows.empty()) table += fmt::format("{} parameters, {} MACs a forward\n", with_commas(rows[0].parameters), with_commas(rows[0].macs));
  return table;
}

}  // namespace tapetum::nn
