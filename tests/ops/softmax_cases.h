#pragma once
#include "kernels/softmax.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<Case> softmax_cases = {
    {.name = "softmax last",
     .shapes = {{4, 37}},
     .op = [](const auto& x) { return softmax(x[0], -1); },
     .slots = {&kernels::softmax_forward},
     .constant_lines = false},
    {.name = "softmax channels",
     .shapes = {{2, 5, 3, 3}},
     .op = [](const auto& x) { return softmax(x[0], 1); },
     .slots = {&kernels::softmax_forward}},
    {.name = "softmax wide range",
     .shapes = {{3, 20}},
     .op = [](const auto& x) { return softmax(x[0], 1); },
     .slots = {&kernels::softmax_forward},
     .low = -300,
     .high = 300,
     .flat = true},
    {.name = "softmax no rows",
     .shapes = {{0, 4}},
     .op = [](const auto& x) { return softmax(x[0], 1); },
     .slots = {&kernels::softmax_forward}},
    {.name = "softmax large",
     .shapes = {{64, 1000}},
     .op = [](const auto& x) { return softmax(x[0], 1); },
     .slots = {&kernels::softmax_forward},
     .bench = true},
};

}  // namespace tapetum::test
