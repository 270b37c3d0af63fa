#include "core/ops/conv1d.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/ops/conv.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

// w [in, out, S] beside x of `in` channels, or [out, in, S]; the errors of conv2d would name shapes that the caller has not given.
void check(const char* op, const Tensor& x, const Tensor& w, int64_t groups, int64_t channels_of_w, const char* shape_of_w) {
  if (x.dim() != 2 && x.dim() != 3) throw ShapeError(fmt::format("{}: expected an input [N, C, L] or [C, L], got {}", op, to_string(x.shape())));
  if (w.dim() != 3 || x.size(-2) != channels_of_w)
    throw ShapeError(
        fmt::format("{}: weight must be {}, got {} (input {}, groups {})", op, shape_of_w, to_string(w.shape()), to_string(x.shape()), groups));
}

// f of images of one row: x [.., C, 1, L], w [.., 1, S].
template <class F> Tensor as_rows(const Tensor& x, const Tensor& w, F f) { return squeeze(f(unsqueeze(x, -2), unsqueeze(w, -2)), -2); }

}  // namespace

Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, const Conv1dOptions& o) {
  check("conv1d", x, w, o.groups, w.dim() == 3 ? w.size(1) * o.groups : 0, "[out, in/groups, s]");
  if (o.padding.size.h != o.padding.size.w)
    throw ShapeError(fmt::format("conv1d: expected one padding, got {} and {}", o.padding.size.h, o.padding.size.w));
  Conv2dOptions rows{.stride = {1, o.stride}, .padding = o.padding, .dilation = {1, o.dilation}, .groups = o.groups};
  rows.padding.size.h = 0;
  return as_rows(x, w, [&](const Tensor& image, const Tensor& filter) { return conv2d(image, filter, b, rows); });
}

Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose1dOptions& o) {
  check("conv_transpose1d", x, w, o.groups, w.dim() == 3 ? w.size(0) : 0, "[in, out/groups, s]");
  const ConvTranspose2dOptions rows{
      .stride = {1, o.stride}, .padding = {0, o.padding}, .output_padding = {0, o.output_padding}, .dilation = {1, o.dilation}, .groups = o.groups};
  return as_rows(x, w, [&](const Tensor& image, const Tensor& filter) { return conv_transpose2d(image, filter, b, rows); });
}

}  // namespace tapetum
