#pragma once
#include "kernels/conv.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> conv1d_slots = {&kernels::conv2d_forward, &kernels::conv2d_grad_input,
                                                                   &kernels::conv2d_grad_weight};

inline const std::vector<Case> conv1d_cases = {
    {.name = "conv1d", .shapes = {{2, 3, 9}, {4, 3, 3}, {4}}, .op = [](const auto& x) { return conv1d(x[0], x[1], x[2]); }, .slots = conv1d_slots},
    {.name = "conv1d options",
     .shapes = {{2, 4, 11}, {6, 2, 3}},
     .op = [](const auto& x) { return conv1d(x[0], x[1], {.stride = 2, .padding = 2, .dilation = 2, .groups = 2}); },
     .slots = conv1d_slots},
    {.name = "conv1d same",
     .shapes = {{3, 8}, {2, 3, 4}},
     .op = [](const auto& x) { return conv1d(x[0], x[1], {.padding = "same"}); },
     .slots = conv1d_slots},
    {.name = "conv_transpose1d",
     .shapes = {{2, 3, 5}, {3, 4, 3}, {4}},
     .op = [](const auto& x) { return conv_transpose1d(x[0], x[1], x[2]); },
     .slots = conv1d_slots},
    {.name = "conv_transpose1d options",
     .shapes = {{4, 5}, {4, 3, 3}},
     .op = [](const auto& x) { return conv_transpose1d(x[0], x[1], {.stride = 3, .padding = 1, .output_padding = 2, .dilation = 2, .groups = 2}); },
     .slots = conv1d_slots},
};

}  // namespace tapetum::test
