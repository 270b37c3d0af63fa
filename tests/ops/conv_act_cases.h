#pragma once
#include "tests/ops/conv_cases.h"

namespace tapetum::test {

// conv2d_act of an image, a filter, and behind them a bias (one dimension), a residual, both or neither.
inline Tensor conv2d_act_of(const std::vector<Tensor>& x, ConvActivation activation, const Conv2dOptions& o) {
  Tensor b, residual;
  for (size_t i = 2; i < x.size(); ++i) (x[i].dim() == 1 ? b : residual) = x[i];
  return conv2d_act(x[0], x[1], b, residual, activation, o);
}
inline Case act_row(const char* name, ConvActivation activation, std::vector<Shape> shapes, const Conv2dOptions& o = {}) {
  return {.name = name,
          .shapes = std::move(shapes),
          .op = [=](const auto& x) { return conv2d_act_of(x, activation, o); },
          .slots = conv_slots,
          .low = -1,
          .high = 1};
}

// The same with a scale and a shift of each channel behind the filter.
inline Case affine_row(const char* name, ConvActivation activation, std::vector<Shape> shapes, const Conv2dOptions& o = {}) {
  Case row = act_row(name, activation, std::move(shapes), o);
  row.op = [=](const auto& x) {
    Tensor b, residual;
    for (size_t i = 4; i < x.size(); ++i) (x[i].dim() == 1 ? b : residual) = x[i];
    return conv2d_act(x[0], x[1], b, x[2], x[3], residual, activation, o);
  };
  return row;
}

// The end of a residual block, fused and not: image and residual in channels_last.
inline Tensor images(const Tensor& x) { return permute(x, {0, 3, 1, 2}); }
template <class F> Case block_row(const char* name, F f) {
  const Case row{.name = name,
                 .shapes = {{2, 128, 128, 64}, {64, 64, 3, 3}, {64}, {2, 128, 128, 64}},
                 .op = [f](const auto& t) { return f(images(t[0]), t); },
                 .slots = {}};
  return timed(row, &kernels::conv2d_forward, 2.0 * 2 * 64 * 64 * 9 * 128 * 128);
}

inline const std::vector<Case> conv_act_cases = {
    act_row("conv2d_act", ConvActivation::none, {{2, 3, 5, 6}, {4, 3, 3, 3}, {4}, {2, 4, 5, 6}}, {.padding = 1}),
    act_row("conv2d_act relu", ConvActivation::relu, {{2, 3, 5, 6}, {4, 3, 3, 3}, {4}, {2, 4, 5, 6}}, {.padding = 1}),
    act_row("conv2d_act silu", ConvActivation::silu, {{1, 5, 7, 5}, {3, 5, 3, 3}, {3}, {1, 3, 7, 5}}, {.padding = 1}),
    act_row("conv2d_act relu, filter alone", ConvActivation::relu, {{1, 3, 6, 5}, {5, 3, 3, 3}}, {.padding = 1}),
    act_row("conv2d_act silu, bias alone", ConvActivation::silu, {{2, 4, 5, 5}, {3, 4, 2, 2}, {3}}, {.stride = 2}),
    act_row("conv2d_act relu, residual alone", ConvActivation::relu, {{1, 4, 5, 7}, {6, 4, 3, 1}, {1, 6, 3, 7}}),
    act_row("conv2d_act none, residual alone", ConvActivation::none, {{1, 2, 4, 4}, {3, 2, 1, 1}, {1, 3, 4, 4}}),
    act_row("conv2d_act silu, stride, dilation", ConvActivation::silu, {{1, 2, 9, 11}, {3, 2, 3, 3}, {1, 3, 4, 4}},
            {.stride = {2, 3}, .padding = 2, .dilation = {3, 2}}),
    act_row("conv2d_act relu, groups", ConvActivation::relu, {{2, 6, 5, 4}, {4, 3, 3, 3}, {4}, {2, 4, 5, 4}}, {.padding = 1, .groups = 2}),
    act_row("conv2d_act silu, depthwise", ConvActivation::silu, {{2, 5, 6, 5}, {5, 1, 3, 3}, {5}, {2, 5, 6, 5}}, {.padding = 1, .groups = 5}),
    act_row("conv2d_act relu, depthwise in chunks", ConvActivation::relu, {{2, 32, 9, 10}, {32, 1, 3, 3}, {32}, {2, 32, 9, 10}},
            {.padding = 1, .groups = 32}),
    act_row("conv2d_act silu, 3x3 of 20 channels", ConvActivation::silu, {{2, 20, 7, 9}, {20, 20, 3, 3}, {20}, {2, 20, 7, 9}}, {.padding = 1}),
    act_row("conv2d_act relu, several passes and blocks", ConvActivation::relu, {{1, 64, 15, 17}, {40, 64, 3, 3}, {1, 40, 15, 17}}, {.padding = 1}),
    act_row("conv2d_act relu, in chunks", ConvActivation::relu, {{2, 16, 9, 11}, {24, 16, 3, 3}, {24}, {2, 24, 9, 11}}, {.padding = 1}),
    act_row("conv2d_act silu, in chunks, odd output channels", ConvActivation::silu, {{1, 8, 7, 6}, {11, 8, 3, 3}, {11}, {1, 11, 7, 6}},
            {.padding = 1}),
    act_row("conv2d_act silu, in chunks, groups", ConvActivation::silu, {{2, 32, 6, 7}, {48, 16, 3, 3}, {48}, {2, 48, 6, 7}},
            {.padding = 1, .groups = 2}),
    act_row("conv2d_act relu, in chunks, long sums", ConvActivation::relu, {{1, 128, 5, 6}, {16, 128, 3, 3}, {16}, {1, 16, 5, 6}}, {.padding = 1}),
    act_row("conv2d_act silu, in chunks, 1x1", ConvActivation::silu, {{2, 40, 8, 9}, {72, 40, 1, 1}, {72}, {2, 72, 8, 9}}),
    act_row("conv2d_act silu, one image", ConvActivation::silu, {{3, 5, 6}, {4, 3, 3, 3}, {4}, {4, 3, 4}}),
    act_row("conv2d_act relu, no images", ConvActivation::relu, {{0, 3, 4, 4}, {2, 3, 3, 3}, {2}, {0, 2, 2, 2}}),
    act_row("conv2d_act silu, no channels", ConvActivation::silu, {{1, 0, 4, 4}, {2, 0, 3, 3}, {2}, {1, 2, 2, 2}}),
    affine_row("conv2d_act scaled", ConvActivation::none, {{2, 3, 5, 6}, {4, 3, 3, 3}, {4}, {4}, {4}, {2, 4, 5, 6}}, {.padding = 1}),
    affine_row("conv2d_act scaled relu, without bias", ConvActivation::relu, {{2, 3, 5, 6}, {4, 3, 3, 3}, {4}, {4}}, {.padding = 1}),
    affine_row("conv2d_act scaled silu, residual", ConvActivation::silu, {{1, 4, 5, 7}, {6, 4, 3, 1}, {6}, {6}, {1, 6, 3, 7}}),
    affine_row("conv2d_act scaled silu, stride, bias", ConvActivation::silu, {{2, 4, 5, 5}, {3, 4, 2, 2}, {3}, {3}, {3}}, {.stride = 2}),
    affine_row("conv2d_act scaled relu, groups", ConvActivation::relu, {{2, 6, 5, 4}, {4, 3, 3, 3}, {4}, {4}, {4}, {2, 4, 5, 4}},
               {.padding = 1, .groups = 2}),
    affine_row("conv2d_act scaled silu, depthwise", ConvActivation::silu, {{2, 5, 6, 5}, {5, 1, 3, 3}, {5}, {5}, {5}}, {.padding = 1, .groups = 5}),
    affine_row("conv2d_act scaled none, depthwise 5x5 of 35 channels", ConvActivation::none, {{1, 35, 6, 13}, {35, 1, 5, 5}, {35}, {35}},
               {.stride = 2, .padding = 2, .groups = 35}),
    affine_row("conv2d_act scaled relu, depthwise in chunks", ConvActivation::relu, {{2, 32, 9, 10}, {32, 1, 3, 3}, {32}, {32}, {2, 32, 9, 10}},
               {.padding = 1, .groups = 32}),
    affine_row("conv2d_act scaled silu, 3x3 of 20 channels", ConvActivation::silu, {{2, 20, 7, 9}, {20, 20, 3, 3}, {20}, {20}, {20}}, {.padding = 1}),
    affine_row("conv2d_act scaled relu, several passes and blocks", ConvActivation::relu,
               {{1, 64, 15, 17}, {40, 64, 3, 3}, {40}, {40}, {1, 40, 15, 17}}, {.padding = 1}),
    affine_row("conv2d_act scaled relu, 3x3 without padding", ConvActivation::relu, {{2, 16, 9, 14}, {140, 16, 3, 3}, {140}, {140}, {140}}),
    affine_row("conv2d_act scaled none, in chunks", ConvActivation::none, {{2, 16, 9, 11}, {24, 16, 3, 3}, {24}, {24}}, {.padding = 1}),
    affine_row("conv2d_act scaled silu, in chunks, odd output channels", ConvActivation::silu,
               {{1, 8, 7, 6}, {11, 8, 3, 3}, {11}, {11}, {11}, {1, 11, 7, 6}}, {.padding = 1}),
    affine_row("conv2d_act scaled silu, in chunks, groups", ConvActivation::silu, {{2, 32, 6, 7}, {48, 16, 3, 3}, {48}, {48}, {2, 48, 6, 7}},
               {.padding = 1, .groups = 2}),
    affine_row("conv2d_act scaled relu, in chunks, long sums", ConvActivation::relu, {{1, 128, 5, 6}, {16, 128, 3, 3}, {16}, {16}}, {.padding = 1}),
    affine_row("conv2d_act scaled none, in chunks, 1x1", ConvActivation::none, {{2, 40, 8, 9}, {72, 40, 1, 1}, {72}, {72}, {72}}),
    affine_row("conv2d_act scaled silu, one image", ConvActivation::silu, {{3, 5, 6}, {4, 3, 3, 3}, {4}, {4}, {4}, {4, 3, 4}}),
    affine_row("conv2d_act scaled relu, no images", ConvActivation::relu, {{0, 3, 4, 4}, {2, 3, 3, 3}, {2}, {2}}),
    affine_row("conv2d_act scaled silu, no channels", ConvActivation::silu, {{1, 0, 4, 4}, {2, 0, 3, 3}, {2}, {2}, {2}}),
    {.name = "conv2d_act relu, residual in another layout",
     .shapes = {{1, 16, 6, 7}, {8, 16, 3, 3}, {8}, {1, 6, 7, 8}},
     .op = [](const auto& x) { return conv2d_act(x[0], x[1], x[2], images(x[3]), ConvActivation::relu, {.padding = 1}); },
     .slots = conv_slots,
     .low = -1,
     .high = 1},
    {.name = "conv2d_act silu, depthwise, residual repeated",
     .shapes = {{2, 16, 5, 7}, {16, 1, 3, 3}, {16}, {1, 16, 1, 1}},
     .op =
         [](const auto& x) {
           return conv2d_act(x[0], x[1], x[2], expand(x[3], {2, 16, 5, 7}), ConvActivation::silu, {.padding = 1, .groups = 16});
         },
     .slots = conv_slots,
     .low = -1,
     .high = 1},
    block_row("conv2d_act n2c64h128k64r3",
              [](const Tensor& x, const auto& t) { return conv2d_act(x, t[1], t[2], images(t[3]), ConvActivation::relu, {.padding = 1}); }),
    block_row("conv2d then add and relu n2c64h128k64r3",
              [](const Tensor& x, const auto& t) { return relu(conv2d(x, t[1], t[2], {.padding = 1}) + images(t[3])); }),
};

}  // namespace tapetum::test
