#include "core/ops/layout.h"

#include <fmt/core.h>

#include <atomic>
#include <cstring>

#include "core/error.h"
#include "core/ops/view.h"
#include "core/size2.h"

namespace tapetum {
namespace {

std::atomic<bool> prefer{true};

}  // namespace

bool Padding::is_same(const char* word) {
  const bool same = std::strcmp(word, "same") == 0;
  if (!same && std::strcmp(word, "valid") != 0) throw ShapeError(fmt::format("padding: expected sizes, \"valid\" or \"same\", got \"{}\"", word));
  return same;
}

bool prefer_channels_last() { return prefer; }
void set_prefer_channels_last(bool on) { prefer = on; }

Tensor empty_image(const Shape& shape, DType dtype, Device device, TensorList inputs) {
  bool last = shape.size() == 4 && prefer_channels_last() && shape[1] >= 4;
  for (const Tensor& x : inputs) last = last || (shape.size() == 4 && x.defined() && x.is_channels_last());
  return empty_strided(shape, last ? channels_last_strides(shape) : contiguous_strides(shape), dtype, device);
}

Tensor as_image(const Tensor& x) {
  const bool wanted = x.dim() == 4 && prefer_channels_last() && x.size(1) > 1 && x.strides()[1] != 1;
  return wanted ? channels_last(x) : x;
}

}  // namespace tapetum
