// Shapes and options that nobody thought of, for windows of pixels and for single elements: samples in one dtype and layout each, on every
// instruction set.
#include <catch2/catch.hpp>

#include "kernels/elementwise.h"
#include "kernels/resize.h"
#include "tests/ops/pool_cases.h"
#include "tests/ops/samples.h"

namespace tapetum::test {
namespace {

Shape draw_images(Draw& d) { return {d.pick(1, 3), d.size(kChannels), d.size(kImageSize), d.size(kImageSize)}; }

Case draw_max_pool(Draw& d) {
  const Shape x = draw_images(d);
  const Size2 kernel{d.pick(1, 5), d.pick(1, 5)};
  MaxPool2dOptions o{.stride = {d.maybe(2, 4), d.maybe(2, 4)}, .dilation = {d.maybe(1, 3), d.maybe(1, 3)}, .ceil_mode = d.chance(0.3)};
  const Size2 reach{o.dilation.h * (kernel.h - 1) + 1, o.dilation.w * (kernel.w - 1) + 1};
  o.padding = {d.pick(0, reach.h / 2), d.pick(0, reach.w / 2)};
  const bool fits = reach.h <= x[2] + 2 * o.padding.h && reach.w <= x[3] + 2 * o.padding.w;
  return {.name = "max_pool2d",
          .shapes = {x},
          .op = [=](const auto& t) { return max_pool2d(t[0], kernel, o); },
          .slots = max_pool_slots,
          .flops = fits ? pass_over(x) : kImpossible};
}

Case draw_avg_pool(Draw& d) {
  const Shape x = draw_images(d);
  const Size2 kernel{d.pick(1, 5), d.pick(1, 5)};
  const AvgPool2dOptions o{.stride = {d.maybe(2, 4), d.maybe(2, 4)},
                           .padding = {d.pick(0, kernel.h / 2), d.pick(0, kernel.w / 2)},
                           .ceil_mode = d.chance(0.3),
                           .count_include_pad = d.chance(0.5),
                           .divisor_override = d.chance(0.2) ? d.pick(1, 9) : 0};
  const bool fits = kernel.h <= x[2] + 2 * o.padding.h && kernel.w <= x[3] + 2 * o.padding.w;
  return {.name = "avg_pool2d",
          .shapes = {x},
          .op = [=](const auto& t) { return avg_pool2d(t[0], kernel, o); },
          .slots = {&kernels::resample2d},
          .flops = fits ? pass_over(x) : kImpossible};
}

Case draw_adaptive_pool(Draw& d) {
  const Shape x = draw_images(d);
  const Size2 size{d.chance(0.2) ? 1 : d.size(kImageSize), d.chance(0.2) ? 1 : d.size(kImageSize)};
  const bool greatest = d.chance(0.5);
  return {.name = greatest ? "adaptive_max_pool2d" : "adaptive_avg_pool2d",
          .shapes = {x},
          .op = [=](const auto& t) { return greatest ? adaptive_max_pool2d(t[0], size) : adaptive_avg_pool2d(t[0], size); },
          .slots = greatest ? max_pool_slots : std::vector<const kernels::SlotBase*>{&kernels::resample2d},
          .flops = pass_over(x) + pass_over({x[0], x[1], size.h, size.w})};
}

Case draw_interpolation(Draw& d) {
  const Shape x = draw_images(d);
  const Size2 size{d.size(kImageSize), d.size(kImageSize)};
  InterpolateOptions o{.size = size};
  o.mode = d.one_of({Interpolation::nearest, Interpolation::nearest_exact, Interpolation::bilinear, Interpolation::bilinear, Interpolation::bicubic,
                     Interpolation::area});
  if (o.mode == Interpolation::bilinear || o.mode == Interpolation::bicubic) o.align_corners = d.chance(0.4), o.antialias = d.chance(0.3);
  return {.name = "interpolate",
          .shapes = {x},
          .op = [=](const auto& t) { return interpolate(t[0], o); },
          .slots = {&kernels::resample2d},
          .flops = pass_over(x) + pass_over({x[0], x[1], size.h, size.w})};
}

struct Binary {
  const char* name;
  Tensor (*op)(const Tensor& a, const Tensor& b);
  const kernels::SlotBase* slot;
  double low = -2;
  bool flat = false;
};
const std::vector<Binary> binaries = {{"add", add, &kernels::add_forward},
                                      {"sub", sub, &kernels::sub_forward},
                                      {"mul", mul, &kernels::mul_forward},
                                      {"div", div, &kernels::div_forward, 0.5},
                                      {"pow", pow, &kernels::pow_forward, 0.5},
                                      {"maximum", maximum, &kernels::maximum_forward},
                                      {"minimum", minimum, &kernels::minimum_forward},
                                      {"lt", lt, &kernels::lt_forward, -2, true},
                                      {"eq", eq, &kernels::eq_forward, -2, true}};

// Shapes that broadcast to one: dimensions of size 1, and none in front.
Case draw_binary(Draw& d) {
  const Binary& binary = binaries[static_cast<size_t>(d.pick(0, std::ssize(binaries) - 1))];
  const Shape y = d.shape(1, 5, kChannels);
  Shape a = y, b;
  const int left_out = d.chance(0.3) ? static_cast<int>(d.pick(0, y.size())) : 0;
  for (int i = left_out; i < y.size(); ++i) b.push_back(d.chance(0.25) ? 1 : y[i]);
  for (int i = left_out; i < y.size(); ++i)
    if (d.chance(0.1)) a[i] = 1;
  const bool swapped = d.chance(0.3);
  return {.name = binary.name,
          .shapes = swapped ? std::vector{b, a} : std::vector{a, b},
          .op = [op = binary.op](const auto& t) { return op(t[0], t[1]); },
          .slots = {binary.slot},
          .low = binary.low,
          .flat = binary.flat,
          .flops = pass_over(y)};
}

Case draw_cat(Draw& d) {
  const Shape x = d.shape(1, 5, kChannels);
  const int dim = static_cast<int>(d.pick(0, x.size() - 1));
  std::vector<Shape> shapes;
  double flops = 0;
  for (int64_t i = d.pick(1, 4); i > 0; --i) {
    shapes.push_back(x);
    shapes.back()[dim] = d.size(kChannels);
    flops += pass_over(shapes.back());
  }
  return {.name = "cat", .shapes = shapes, .op = [=](const auto& t) { return cat(t, dim); }, .slots = {&kernels::copy_forward}, .flops = flops};
}

// A part of x, with steps, its dimensions in another order, copied as rows.
Case draw_copy(Draw& d) {
  const Shape x = d.shape(1, 5, kChannels);
  Shape order;
  for (int i = 0; i < x.size(); ++i) order.push_back(i);
  for (int i = x.size() - 1; i > 0; --i) std::swap(order[i], order[static_cast<int>(d.pick(0, i))]);
  const int dim = static_cast<int>(d.pick(0, x.size() - 1));
  const int64_t start = d.chance(0.5) ? 0 : d.pick(0, x[dim] - 1), step = d.maybe(1, 3);
  return {.name = "contiguous",
          .shapes = {x},
          .op = [=](const auto& t) { return contiguous(permute(slice(t[0], dim, start, x[dim], step), order)); },
          .slots = {&kernels::copy_forward},
          .flops = pass_over(x)};
}

}  // namespace

SAMPLES("max_pool2d", draw_max_pool)
SAMPLES("avg_pool2d", draw_avg_pool)
SAMPLES("adaptive pooling", draw_adaptive_pool)
SAMPLES("interpolate", draw_interpolation)
SAMPLES("elementwise with broadcasting", draw_binary)
SAMPLES("cat", draw_cat)
SAMPLES("copies", draw_copy)

}  // namespace tapetum::test
