#pragma once
#include "kernels/conv.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> conv_slots{&kernels::conv2d_forward, &kernels::conv2d_grad_input, &kernels::conv2d_grad_weight};

// A row whose op is conv2d with these options; a third shape is the bias.
inline Case conv_row(const char* name, std::vector<Shape> shapes, const Conv2dOptions& o = {}) {
  return {.name = name,
          .shapes = std::move(shapes),
          .op = [o](const auto& x) { return conv2d(x[0], x[1], x.size() > 2 ? x[2] : Tensor(), o); },
          .slots = conv_slots};
}
inline Case transposed_row(const char* name, std::vector<Shape> shapes, const ConvTranspose2dOptions& o = {}) {
  return {.name = name,
          .shapes = std::move(shapes),
          .op = [o](const auto& x) { return conv_transpose2d(x[0], x[1], x.size() > 2 ? x[2] : Tensor(), o); },
          .slots = conv_slots};
}
// Large enough to be timed: forward, or one of the gradients as an op of its own.
inline Case timed(Case row, const kernels::SlotBase* slot, double flops) {
  row.slots = {slot};
  row.low = -1, row.high = 1, row.flops = flops;
  row.bench = true;
  return row;
}

inline const std::vector<Case>
    conv_cases =
        {
            conv_row("conv2d 3x3", {{2, 3, 5, 6}, {4, 3, 3, 3}}, {.padding = 1}),
            conv_row("conv2d 3x3 of 1 channel", {{1, 1, 4, 7}, {5, 1, 3, 3}, {5}}, {.padding = 1}),
            conv_row("conv2d 17 to 33 channels", {{1, 17, 3, 5}, {33, 17, 3, 3}, {33}}, {.padding = 1}),
            conv_row("conv2d 3x3 of 20 channels", {{2, 20, 7, 9}, {20, 20, 3, 3}, {20}}, {.padding = 1}),
            conv_row("conv2d several passes and blocks", {{1, 64, 15, 17}, {40, 64, 3, 3}}, {.padding = 1}),
            conv_row("conv2d 3x3 wide padding", {{1, 24, 6, 5}, {18, 24, 3, 3}}, {.padding = 2}),
            conv_row("conv2d 3x3 without padding", {{2, 16, 9, 14}, {140, 16, 3, 3}, {140}}),
            conv_row("conv2d 3x3 of many channels", {{1, 150, 4, 6}, {20, 150, 3, 3}}, {.padding = 1}),
            conv_row("conv2d 3x3 of many tiles", {{3, 8, 30, 29}, {9, 8, 3, 3}}, {.padding = 1}),
            conv_row("conv2d 1x1", {{2, 5, 3, 4}, {6, 5, 1, 1}}),
            conv_row("conv2d 1x1 bias", {{2, 3, 4, 4}, {2, 3, 1, 1}, {2}}),
            conv_row("conv2d 1x1 of many channels and pixels", {{2, 20, 16, 17}, {70, 20, 1, 1}, {70}}),
            conv_row("conv2d 1x1 dilation", {{2, 6, 3, 4}, {9, 6, 1, 1}, {9}}, {.dilation = 3}),
            conv_row("conv2d 1x1 padding", {{1, 3, 3, 4}, {5, 3, 1, 1}}, {.padding = 1}),
            conv_row("conv2d 1x1 no images", {{0, 3, 4, 4}, {8, 3, 1, 1}, {8}}),
            conv_row("conv2d 1x1 no channels", {{1, 0, 4, 4}, {8, 0, 1, 1}, {8}}),
            conv_row("conv2d 1x1 stride", {{2, 3, 5, 4}, {4, 3, 1, 1}}, {.stride = 2}),
            conv_row("conv2d of one pixel", {{3, 4, 1, 1}, {2, 4, 1, 1}, {2}}),
            conv_row("conv2d of one image", {{3, 5, 6}, {4, 3, 3, 3}, {4}}, {.padding = "valid"}),
            conv_row("conv2d no images", {{0, 3, 4, 4}, {2, 3, 3, 3}}),
            conv_row("conv2d no channels", {{1, 0, 4, 4}, {2, 0, 3, 3}, {2}}),
            conv_row("conv2d stride", {{1, 2, 7, 5}, {3, 2, 3, 2}}, {.stride = {2, 1}, .padding = {0, 1}}),
            conv_row("conv2d stride over the filter", {{1, 3, 9, 8}, {4, 3, 2, 2}}, {.stride = 3, .padding = 1}),
            conv_row("conv2d patches", {{2, 3, 8, 8}, {5, 3, 4, 4}, {5}}, {.stride = 4}),
            conv_row("conv2d large filter", {{1, 2, 6, 9}, {3, 2, 7, 5}}, {.stride = 2, .padding = {3, 2}}),
            conv_row("conv2d padding over the filter", {{1, 2, 3, 3}, {4, 2, 2, 2}}, {.padding = 3}),
            conv_row("conv2d same", {{1, 2, 5, 6}, {3, 2, 3, 5}, {3}}, {.padding = "same"}),
            conv_row("conv2d same, even filter", {{1, 3, 4, 5}, {4, 3, 2, 4}}, {.padding = "same"}),
            conv_row("conv2d same, dilation", {{1, 2, 5, 5}, {4, 2, 3, 3}}, {.padding = "same", .dilation = {2, 1}}),
            conv_row("conv2d dilation", {{1, 3, 8, 9}, {4, 3, 3, 3}}, {.padding = {1, 2}, .dilation = 2}),
            conv_row("conv2d stride and dilation", {{1, 2, 9, 11}, {3, 2, 3, 3}}, {.stride = {2, 3}, .padding = 2, .dilation = {3, 2}}),
            conv_row("conv2d groups", {{2, 6, 5, 4}, {4, 3, 3, 3}, {4}}, {.padding = 1, .groups = 2}),
            conv_row("conv2d groups, stride, dilation", {{1, 6, 8, 7}, {9, 2, 2, 3}}, {.stride = 2, .padding = 1, .dilation = {1, 2}, .groups = 3}),
            conv_row("conv2d depthwise", {{2, 5, 6, 5}, {5, 1, 3, 3}, {5}}, {.padding = 1, .groups = 5}),
            conv_row("conv2d depthwise, stride, dilation", {{1, 9, 9, 8}, {9, 1, 3, 2}},
                     {.stride = {2, 1}, .padding = {2, 0}, .dilation = {2, 3}, .groups = 9}),
            conv_row("conv2d depthwise of 33 channels", {{1, 33, 5, 7}, {33, 1, 5, 5}}, {.padding = 2, .groups = 33}),
            conv_row("conv2d depthwise multiplier", {{1, 3, 5, 5}, {6, 1, 3, 3}, {6}}, {.padding = 1, .groups = 3}),
            conv_row("conv2d depthwise in chunks", {{2, 32, 9, 10}, {32, 1, 3, 3}, {32}}, {.padding = 1, .groups = 32}),
            conv_row("conv2d depthwise in chunks, stride", {{1, 16, 11, 9}, {16, 1, 5, 3}}, {.stride = 2, .padding = {2, 1}, .groups = 16}),
            conv_row("conv2d depthwise 3x3 of one channel", {{2, 1, 5, 6}, {1, 1, 3, 3}, {1}}, {.padding = 1}),
            conv_row("conv2d depthwise 3x3, several blocks", {{2, 35, 4, 19}, {35, 1, 3, 3}, {35}}, {.padding = 1, .groups = 35}),
            conv_row("conv2d depthwise 3x3 without padding", {{1, 18, 7, 12}, {18, 1, 3, 3}, {18}}, {.groups = 18}),
            conv_row("conv2d depthwise 3x3 stride 2", {{2, 21, 9, 23}, {21, 1, 3, 3}, {21}}, {.stride = 2, .padding = 1, .groups = 21}),
            conv_row("conv2d depthwise 5x5 stride 2, even size", {{1, 17, 8, 20}, {17, 1, 5, 5}}, {.stride = 2, .padding = 2, .groups = 17}),
            conv_row("conv2d depthwise 7x7", {{2, 20, 9, 17}, {20, 1, 7, 7}, {20}}, {.padding = 3, .groups = 20}),
            conv_row("conv2d depthwise 7x7 stride 2", {{1, 16, 10, 13}, {16, 1, 7, 7}}, {.stride = 2, .padding = 3, .groups = 16}),
            conv_row("conv2d depthwise 7x7 over the image", {{2, 19, 3, 2}, {19, 1, 7, 7}, {19}}, {.padding = 3, .groups = 19}),
            conv_row("conv2d depthwise 5x5 dilation", {{1, 18, 11, 12}, {18, 1, 5, 5}}, {.padding = 4, .dilation = 2, .groups = 18}),
            conv_row("conv2d depthwise 3x5 stride 3", {{1, 16, 8, 20}, {16, 1, 3, 5}, {16}}, {.stride = {1, 3}, .padding = {1, 2}, .groups = 16}),
            conv_row("conv2d depthwise of 130 channels", {{1, 130, 6, 5}, {130, 1, 3, 3}, {130}}, {.padding = 1, .groups = 130}),
            conv_row("conv2d in chunks", {{2, 16, 9, 11}, {24, 16, 3, 3}, {24}}, {.padding = 1}),
            conv_row("conv2d in chunks, odd output channels", {{1, 8, 7, 6}, {11, 8, 3, 3}, {11}}, {.padding = 1}),
            conv_row("conv2d in chunks, stride, dilation", {{2, 24, 10, 9}, {16, 24, 3, 3}}, {.stride = 2, .padding = 2, .dilation = {1, 2}}),
            conv_row("conv2d in chunks, groups", {{2, 32, 6, 7}, {48, 16, 3, 3}, {48}}, {.padding = 1, .groups = 2}),
            conv_row("conv2d in chunks, 1x1", {{2, 40, 8, 9}, {72, 40, 1, 1}, {72}}),
            conv_row("conv2d in chunks, 1x1 stride", {{2, 16, 7, 8}, {24, 16, 1, 1}}, {.stride = 2}),
            conv_row("conv2d in chunks, long sums", {{1, 128, 5, 6}, {16, 128, 3, 3}, {16}}, {.padding = 1}),
            conv_row("conv2d in chunks, many pixels", {{2, 8, 24, 25}, {8, 8, 3, 3}}, {.padding = 1}),
            {.name = "conv2d in chunks, tall tiles",
             .shapes = {{2, 8, 64, 64}, {40, 8, 3, 3}, {40}},
             .op = [](const auto& x) { return conv2d(x[0], x[1], x[2], {.padding = 1}); },
             .slots = {&kernels::conv2d_forward},
             .flat = true},
            {.name = "conv2d in chunks, wide tiles",
             .shapes = {{2, 8, 64, 65}, {72, 8, 3, 3}, {72}},
             .op = [](const auto& x) { return conv2d(x[0], x[1], x[2], {.padding = 1}); },
             .slots = {&kernels::conv2d_forward},
             .flat = true},
            {.name = "conv2d_grad_input",
             .shapes = {{2, 4, 3, 3}, {4, 3, 3, 3}},
             .op =
                 [](const auto& x) {
                   return conv2d_grad_input(x[0], x[1], {6, 5}, {.stride = 2, .padding = 1});
                 },
             .slots = conv_slots},
            {.name = "conv2d_grad_input of a smaller gradient",
             .shapes = {{1, 2, 2, 3}, {2, 3, 3, 3}},
             .op =
                 [](const auto& x) {
                   return conv2d_grad_input(x[0], x[1], {6, 5}, {.padding = 1});
                 },
             .slots = conv_slots},
            {.name = "conv2d_grad_weight",
             .shapes = {{2, 3, 6, 5}, {2, 4, 3, 3}},
             .op =
                 [](const auto& x) {
                   return conv2d_grad_weight(x[0], x[1], {3, 3}, {.stride = 2, .padding = 1});
                 },
             .slots = conv_slots},
            {.name = "conv2d_grad_weight groups",
             .shapes = {{2, 4, 5, 5}, {2, 6, 5, 5}},
             .op =
                 [](const auto& x) {
                   return conv2d_grad_weight(x[0], x[1], {3, 2}, {.padding = "same", .groups = 2});
                 },
             .slots = conv_slots},
            transposed_row("conv_transpose2d", {{2, 3, 4, 3}, {3, 2, 3, 3}, {2}}, {.padding = 1}),
            transposed_row("conv_transpose2d 2x2 stride 2", {{2, 6, 3, 4}, {6, 5, 2, 2}, {5}}, {.stride = 2}),
            transposed_row("conv_transpose2d output padding", {{1, 3, 4, 3}, {3, 2, 3, 3}, {2}},
                           {.stride = {2, 3}, .padding = 1, .output_padding = {1, 2}}),
            transposed_row("conv_transpose2d 1x1", {{2, 6, 5, 4}, {6, 9, 1, 1}, {9}}),
            transposed_row("conv_transpose2d dilation", {{1, 2, 3, 4}, {2, 3, 3, 2}},
                           {.stride = {1, 2}, .padding = {2, 0}, .output_padding = {1, 2}, .dilation = {2, 3}}),
            transposed_row("conv_transpose2d groups", {{1, 6, 3, 3}, {6, 2, 2, 3}, {4}}, {.stride = 2, .groups = 2}),
            transposed_row("conv_transpose2d depthwise", {{1, 5, 4, 3}, {5, 1, 3, 3}, {5}},
                           {.stride = 2, .padding = 1, .output_padding = 1, .groups = 5}),
            transposed_row("conv_transpose2d of one image", {{3, 4, 3}, {3, 2, 2, 2}, {2}}, {.stride = 2}),
            transposed_row("conv_transpose2d no images", {{0, 3, 4, 4}, {3, 2, 2, 2}, {2}}, {.stride = 2}),
            timed(conv_row("conv2d n2c64h128k64r3", {{2, 64, 128, 128}, {64, 64, 3, 3}}, {.padding = 1}), &kernels::conv2d_forward,
                  2.0 * 2 * 64 * 64 * 9 * 128 * 128),
            timed(conv_row("conv2d n1c64h28k64r3", {{1, 64, 28, 28}, {64, 64, 3, 3}}, {.padding = 1}), &kernels::conv2d_forward,
                  2.0 * 64 * 64 * 9 * 28 * 28),
            timed(conv_row("conv2d depthwise n2c64h64r3", {{2, 64, 64, 64}, {64, 1, 3, 3}}, {.padding = 1, .groups = 64}), &kernels::conv2d_forward,
                  2.0 * 2 * 64 * 9 * 64 * 64),
            timed(transposed_row("conv_transpose2d n2c128h64k64r2", {{2, 128, 64, 64}, {128, 64, 2, 2}}, {.stride = 2}), &kernels::conv2d_grad_input,
                  2.0 * 2 * 64 * 128 * 128 * 128),
};

}  // namespace tapetum::test
