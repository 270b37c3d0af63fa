#include "models/unet.h"

#include <fmt/core.h>

#include "core/engine/checkpoint.h"
#include "core/error.h"
#include "core/ops/pad.h"
#include "core/ops/pool.h"
#include "core/ops/resize.h"
#include "core/ops/view.h"
#include "nn/activation.h"
#include "nn/norm.h"

namespace tapetum::models {
namespace {

const UNetOptions& checked(const UNetOptions& o) {
  if (o.in_channels < 1 || o.classes < 1 || o.width < 1 || o.depth < 1 || o.depth > 16)
    throw Error(fmt::format("UNet: in_channels, classes, width and depth must be positive and depth at most 16, got {}, {}, {} and {}", o.in_channels,
                            o.classes, o.width, o.depth));
  return o;
}

// Level 0 has the image's size.
int64_t channels(const UNetOptions& o, int64_t level) { return o.width << level; }

nn::ModuleList<DoubleConv> encoder(const UNetOptions& o) {
  nn::ModuleList<DoubleConv> list;
  for (int64_t level = 1; level <= o.depth; ++level) list.add(DoubleConv(channels(o, level - 1), channels(o, level), o.norm, o.bias));
  return list;
}

nn::ModuleList<nn::ConvTranspose2d> upsamplers(const UNetOptions& o) {
  nn::ModuleList<nn::ConvTranspose2d> list;
  if (o.up != Upsampling::transposed) return list;
  for (int64_t level = o.depth; level > 0; --level) list.add(nn::ConvTranspose2d(channels(o, level), channels(o, level - 1), 2, {.stride = 2}));
  return list;
}

nn::ModuleList<DoubleConv> decoder(const UNetOptions& o) {
  nn::ModuleList<DoubleConv> list;
  for (int64_t level = o.depth; level > 0; --level) {
    const int64_t skip = channels(o, level - 1), from_below = channels(o, o.up == Upsampling::transposed ? level - 1 : level);
    list.add(DoubleConv(skip + from_below, skip, o.norm, o.bias));
  }
  return list;
}

// Zeros around x, one more at the end where the difference is odd: pooling drops the last row or column of an odd size.
Tensor pad_to(const Tensor& x, Size2 size) {
  const int64_t h = size.h - x.size(2), w = size.w - x.size(3);
  return h || w ? pad(x, {w / 2, w - w / 2, h / 2, h - h / 2}) : x;
}

// Of one input, or of several side by side: the concatenation need not be kept either.
Tensor run_level(const UNetOptions& o, DoubleConv& level, const std::vector<Tensor>& xs) {
  const auto run = [&level](const std::vector<Tensor>& in) { return level(in.size() == 1 ? in[0] : cat(in, 1)); };
  return o.checkpoint ? checkpoint(run, xs) : run(xs);
}

}  // namespace

DoubleConv::DoubleConv(int64_t in, int64_t out, bool norm, bool bias) {
  for (const int64_t from : {in, out}) {
    add(nn::Conv2d(from, out, 3, {.padding = 1, .bias = bias}));
    if (norm) add(nn::BatchNorm2d(out));
    add(nn::ReLU());
  }
}

UNet::UNet(const UNetOptions& o)
    : options(checked(o)),
      inc(o.in_channels, o.width, o.norm, o.bias),
      down(encoder(o)),
      up(upsamplers(o)),
      conv(decoder(o)),
      out(o.width, o.classes, 1) {}

void UNet::visit(nn::Visitor& v) {
  v("inc", inc);
  v("down", down);
  v("up", up);
  v("conv", conv);
  v("out", out);
}

Tensor UNet::forward(const Tensor& x) {
  const int64_t least = int64_t{1} << options.depth;
  if (x.dim() != 4 || x.size(1) != options.in_channels || x.size(2) < least || x.size(3) < least)
    throw ShapeError(fmt::format("UNet: expected [N, {}, H, W] with H and W at least {}, got {}", options.in_channels, least, to_string(x.shape())));
  std::vector<Tensor> skips{run_level(options, inc, {x})};
  for (size_t i = 0; i < down.size(); ++i) skips.push_back(run_level(options, down[i], {max_pool2d(skips.back(), 2)}));
  Tensor y = skips.back();
  skips.pop_back();
  for (size_t i = 0; i < conv.size(); ++i) {
    const Tensor skip = skips.back();
    skips.pop_back();  // the concatenation keeps what the gradient needs
    const Size2 size(skip.size(2), skip.size(3));
    y = options.up == Upsampling::transposed
            ? pad_to(up[i](y), size)
            : interpolate(y, {.size = size, .mode = options.up == Upsampling::bilinear ? Interpolation::bilinear : Interpolation::nearest});
    y = run_level(options, conv[i], {skip, y});
  }
  return out(y);
}

}  // namespace tapetum::models
