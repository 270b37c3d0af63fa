#include "nn/containers.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/engine/checkpoint.h"
#include "core/error.h"
#include "nn/conv.h"
#include "nn/fuse.h"

namespace tapetum::nn {

static bool is_convolution(const Layer& layer) { return dynamic_cast<const Conv2d*>(&layer) != nullptr; }

void throw_no_module(const std::string& name, size_t size) { throw Error(fmt::format("nn: no module '{}' among {}", name, size)); }

Layer& Sequential::operator[](size_t i) {
  if (i >= size()) throw_no_module(std::to_string(i), size());
  return *children_[i];
}

void Sequential::visit(Visitor& v) {
  for (size_t i = 0; i < size(); ++i) v(std::to_string(i).c_str(), *children_[i]);
}

Tensor Sequential::forward(const Tensor& x) { return run(x, 0, size()); }

Tensor Sequential::forward_recomputed(const Tensor& x) {
  Tensor y = x;
  for (size_t begin = 0, end = 0; begin < size(); begin = end) {
    do ++end;
    while (end < size() && !is_convolution(*children_[end]));
    y = checkpoint([=, this](const std::vector<Tensor>& in) { return run(in[0], begin, end); }, {y});
  }
  return y;
}

Tensor Sequential::run(const Tensor& x, size_t begin, size_t end) {
  Tensor y = x;
  const auto at = [&](size_t i) { return i < end ? &*children_[i] : nullptr; };
  for (size_t i = begin; i < end;) {
    const Fused fused = run_fused(*children_[i], at(i + 1), at(i + 2), y);
    y = fused.layers ? fused.result : (*children_[i])(y);
    i += std::max<size_t>(fused.layers, 1);
  }
  return y;
}

void recompute_blocks(Module& model) {
  std::vector<Layer*> blocks, rows;
  model.for_each([&](Module& m) {
    if (auto* block = dynamic_cast<Block*>(&m)) blocks.push_back(block);
    auto* row = dynamic_cast<Sequential*>(&m);
    bool convolves = false;
    for (size_t i = 0; row && i < row->size(); ++i) convolves |= is_convolution((*row)[i]);
    if (convolves) rows.push_back(row);
  });
  if (blocks.empty()) blocks = rows;
  if (blocks.empty()) throw Error(fmt::format("recompute_blocks: {} has neither blocks nor a Sequential with convolutions", model.type_name()));
  for (Layer* block : blocks) block->recomputed = true;
}

}  // namespace tapetum::nn
