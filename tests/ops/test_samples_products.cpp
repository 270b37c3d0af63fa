// Shapes and options that nobody thought of, for sums of products: samples in one dtype and layout each, on every instruction set.
#include <catch2/catch.hpp>

#include "tests/ops/attention_cases.h"
#include "tests/ops/conv_act_cases.h"
#include "tests/ops/matmul_cases.h"
#include "tests/ops/samples.h"

namespace tapetum::test {
namespace {

// How often a filter fits.
int64_t steps(int64_t size, int64_t filter, int64_t stride, int64_t padding, int64_t dilation) {
  const int64_t room = size + 2 * padding - dilation * (filter - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

struct Convolution {
  Shape x, w, y;
  Conv2dOptions options;
  double flops;
};

Convolution draw_convolution(Draw& d) {
  const bool depthwise = d.chance(0.3), plain = d.chance(0.3);
  const int64_t r = plain || d.chance(0.3) ? 3 : d.pick(1, 7), s = plain || d.chance(0.6) ? r : d.pick(1, 7);
  const int64_t groups = depthwise ? d.size(kChannels) : plain ? 1 : d.maybe(1, 4);
  const int64_t c = depthwise ? 1 : d.size(kChannels / groups), k = depthwise ? d.maybe(1, 2) : d.size(kChannels / groups);
  Conv2dOptions o{.stride = {d.maybe(1, 3), d.maybe(1, 3)},
                  .padding = {d.pick(0, 3), d.pick(0, 3)},
                  .dilation = {d.maybe(1, 3), d.maybe(1, 3)},
                  .groups = groups};
  if (plain) o.stride = 1, o.dilation = 1;
  const int64_t n = d.pick(1, 3), h = d.size(kImageSize), w = d.size(kImageSize);
  const int64_t p = steps(h, r, o.stride.h, o.padding.size.h, o.dilation.h), q = steps(w, s, o.stride.w, o.padding.size.w, o.dilation.w);
  const Shape y{n, k * groups, p, q};
  return {{n, c * groups, h, w}, {k * groups, c, r, s}, y, o, y.numel() ? 2.0 * y.numel() * c * r * s + pass_over(y) : kImpossible};
}

Case draw_conv(Draw& d) {
  const Convolution c = draw_convolution(d);
  std::vector<Shape> shapes{c.x, c.w};
  if (d.chance(0.5)) shapes.push_back({c.w[0]});
  Case row = conv_row("conv2d", shapes, c.options);
  row.flops = c.flops;
  return row;
}

Case draw_conv_act(Draw& d) {
  const Convolution c = draw_convolution(d);
  std::vector<Shape> shapes{c.x, c.w};
  if (d.chance(0.7)) shapes.push_back({c.w[0]});
  if (d.chance(0.7)) shapes.push_back(c.y);
  Case row = act_row("conv2d_act", draw_activation(d, c.y.numel()), shapes, c.options);
  row.flops = c.flops;
  return row;
}

Case draw_conv_transpose(Draw& d) {
  const bool depthwise = d.chance(0.2);
  const int64_t groups = depthwise ? d.size(kChannels) : d.maybe(1, 4);
  const int64_t c = depthwise ? 1 : d.size(kChannels / groups), k = depthwise ? d.maybe(1, 2) : d.size(kChannels / groups);
  const int64_t r = d.pick(1, 5), s = d.chance(0.6) ? r : d.pick(1, 5), n = d.pick(1, 3), h = d.size(kImageSize), w = d.size(kImageSize);
  ConvTranspose2dOptions o{.stride = {d.maybe(2, 3), d.maybe(2, 3)},
                           .padding = {d.pick(0, 2), d.pick(0, 2)},
                           .dilation = {d.maybe(1, 3), d.maybe(1, 3)},
                           .groups = groups};
  o.output_padding = {d.pick(0, std::max(o.stride.h, o.dilation.h) - 1), d.pick(0, std::max(o.stride.w, o.dilation.w) - 1)};
  const int64_t p = (h - 1) * o.stride.h - 2 * o.padding.h + o.dilation.h * (r - 1) + o.output_padding.h + 1;
  const int64_t q = (w - 1) * o.stride.w - 2 * o.padding.w + o.dilation.w * (s - 1) + o.output_padding.w + 1;
  std::vector<Shape> shapes{{n, c * groups, h, w}, {c * groups, k, r, s}};
  if (d.chance(0.5)) shapes.push_back({k * groups});
  Case row = transposed_row("conv_transpose2d", shapes, o);
  row.flops = p > 0 && q > 0 ? 2.0 * n * h * w * c * groups * k * r * s + pass_over({n, k * groups, p, q}) : kImpossible;
  return row;
}

Case draw_matmul(Draw& d) {
  const int64_t m = d.size(kChannels), k = d.size(kChannels), n = d.size(kChannels);
  Shape batch = d.shape(0, 2, 3), a = batch, b = batch;
  for (int i = 0; i < batch.size(); ++i)
    if (d.chance(0.2)) (d.chance(0.5) ? a : b)[i] = 1;
  const bool linear = d.chance(0.2), transposed_a = !linear && d.chance(0.4), transposed_b = !linear && d.chance(0.4);
  const auto matrix = [](Shape s, int64_t rows, int64_t columns) { return s.push_back(rows), s.push_back(columns), s; };
  Case row;
  if (linear) {
    row = linear_row("linear", {matrix(batch, m, k), {n, k}});
    if (d.chance(0.5)) row.shapes.push_back({n});
  } else {
    row = matmul_row("matmul", {transposed_a ? matrix(a, k, m) : matrix(a, m, k), transposed_b ? matrix(b, n, k) : matrix(b, k, n)});
    row.op = [=](const auto& x) { return matmul(transposed_a ? transpose(x[0], -1, -2) : x[0], transposed_b ? transpose(x[1], -1, -2) : x[1]); };
  }
  row.flops = 2.0 * batch.numel() * m * k * n;
  return row;
}

Case draw_attention(Draw& d) {
  const Shape heads = d.shape(1, 2, 3);
  const int64_t width = d.size(kChannels), tq = d.size(kChannels), tk = d.chance(0.5) ? tq : d.size(kChannels);
  const int64_t values = d.chance(0.7) ? width : d.size(kChannels);
  const auto tokens = [&](int64_t count, int64_t size) {
    Shape s = heads;
    return s.push_back(count), s.push_back(size), s;
  };
  enum class Mask { none, pairs, keys, bias };
  // Where every query has a single key left, gradients are sums that cancel to zero.
  const bool many = tq >= 8 && tk >= 8;
  const auto mask = many ? d.one_of({Mask::none, Mask::none, Mask::pairs, Mask::keys, Mask::bias}) : Mask::none;
  const bool causal = d.chance(0.4), drops = many && d.chance(0.2);
  AttentionOptions o{.dropout = drops ? d.uniform(0, 0.6) : 0, .causal = causal};
  if (d.chance(0.3)) o.scale = d.uniform(0.1, 1) / std::sqrt(width);
  return {.name = "scaled_dot_product_attention",
          .shapes = {tokens(tq, width), tokens(tk, width), tokens(tk, values)},
          .op =
              [=](const auto& x) {
                AttentionOptions options = o;
                if (mask == Mask::pairs) options.mask = scattered_mask({tq, tk}, x[0]);
                if (mask == Mask::keys) options.mask = scattered_mask({1, tk}, x[0]);
                if (mask == Mask::bias) options.mask = scattered_bias({tq, tk}, x[0]);
                manual_seed(5);
                return scaled_dot_product_attention(x[0], x[1], x[2], options);
              },
          .slots = attention_slots,
          .flat = tk == 1 || (causal && tq == 1),
          .flops = 2.0 * heads.numel() * tq * tk * (width + values)};
}

}  // namespace

SAMPLES("conv2d", draw_conv)
SAMPLES("conv2d_act", draw_conv_act)
SAMPLES("conv_transpose2d", draw_conv_transpose)
SAMPLES("matmul", draw_matmul)
SAMPLES("attention", draw_attention)

}  // namespace tapetum::test
