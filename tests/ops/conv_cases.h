#pragma once
#include "kernels/conv.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> conv_slots{&kernels::conv2d_forward, &kernels::conv2d_grad_input, &kernels::conv2d_grad_weight};

inline const std::vector<Case> conv_cases = {
    {.name = "conv2d 3x3",
     .shapes = {{2, 3, 5, 6}, {4, 3, 3, 3}},
     .op = [](const auto& x) { return conv2d(x[0], x[1], {.padding = 1}); },
     .slots = conv_slots},
    {.name = "conv2d stride",
     .shapes = {{1, 2, 7, 5}, {3, 2, 3, 2}},
     .op = [](const auto& x) { return conv2d(x[0], x[1], {.stride = {2, 1}, .padding = {0, 1}}); },
     .slots = conv_slots},
    {.name = "conv2d bias",
     .shapes = {{2, 3, 4, 4}, {2, 3, 1, 1}, {2}},
     .op = [](const auto& x) { return conv2d(x[0], x[1], x[2]); },
     .slots = conv_slots},
    {.name = "conv2d no images",
     .shapes = {{0, 3, 4, 4}, {2, 3, 3, 3}},
     .op = [](const auto& x) { return conv2d(x[0], x[1]); },
     .slots = conv_slots},
    {.name = "conv2d_grad_input",
     .shapes = {{2, 4, 3, 3}, {4, 3, 3, 3}},
     .op = [](const auto& x) { return conv2d_grad_input(x[0], x[1], {6, 5}, {.stride = 2, .padding = 1}); },
     .slots = conv_slots},
    {.name = "conv2d_grad_weight",
     .shapes = {{2, 3, 6, 5}, {2, 4, 3, 3}},
     .op = [](const auto& x) { return conv2d_grad_weight(x[0], x[1], {3, 3}, {.stride = 2, .padding = 1}); },
     .slots = conv_slots},
    {.name = "conv2d large",
     .shapes = {{2, 32, 32, 32}, {32, 32, 3, 3}},
     .op = [](const auto& x) { return conv2d(x[0], x[1], {.padding = 1}); },
     .slots = {&kernels::conv2d_forward},
     .low = -1,
     .high = 1,
     .bench = true},
};

}  // namespace tapetum::test
