// Borders around images as layers; formulas in core/ops/pad.h.
#pragma once
#include "core/ops/pad.h"
#include "nn/module.h"

namespace tapetum::nn {

// How many columns and rows are added on each side; one number means all four.
struct Sides {
  int64_t left, right, top, bottom;
  Sides(int64_t all) : Sides(all, all, all, all) {}
  Sides(int64_t left, int64_t right, int64_t top, int64_t bottom) : left(left), right(right), top(top), bottom(bottom) {}
};

struct Pad2d : Layer {
  Pad2d(const Sides& padding, const PadOptions& options) : padding(padding), options(options) {}
  Tensor forward(const Tensor& x) override { return pad(x, {padding.left, padding.right, padding.top, padding.bottom}, options); }
  Sides padding;
  PadOptions options;
};

struct ConstantPad2d : Pad2d {
  ConstantPad2d(const Sides& padding, double value) : Pad2d(padding, {.value = value}) {}
};
struct ZeroPad2d : Pad2d {
  explicit ZeroPad2d(const Sides& padding) : Pad2d(padding, {}) {}
};
struct ReflectionPad2d : Pad2d {
  explicit ReflectionPad2d(const Sides& padding) : Pad2d(padding, {.mode = PadMode::reflect}) {}
};
struct ReplicationPad2d : Pad2d {
  explicit ReplicationPad2d(const Sides& padding) : Pad2d(padding, {.mode = PadMode::replicate}) {}
};

}  // namespace tapetum::nn
