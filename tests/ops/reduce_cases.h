#pragma once
#include "kernels/reduce.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<Case> reduce_cases = {
    {.name = "sum all",
     .shapes = {{3, 4, 5}},
     .op = [](const auto& x) { return sum(x[0]); },
     .slots = {&kernels::sum_forward}},
    {.name = "sum last",
     .shapes = {{3, 4, 35}},
     .op = [](const auto& x) { return sum(x[0], {-1}); },
     .slots = {&kernels::sum_forward}},
    {.name = "sum first two, kept",
     .shapes = {{3, 4, 5}},
     .op = [](const auto& x) { return sum(x[0], {0, 1}, true); },
     .slots = {&kernels::sum_forward}},
    {.name = "sum of nothing",
     .shapes = {{3, 0}},
     .op = [](const auto& x) { return sum(x[0], {1}); },
     .slots = {&kernels::sum_forward}},
    {.name = "mean",
     .shapes = {{2, 3, 4, 5}},
     .op = [](const auto& x) { return mean(x[0], {2, 3}); },
     .slots = {&kernels::sum_forward}},
    {.name = "var",
     .shapes = {{3, 40}},
     .op = [](const auto& x) { return var(x[0], {1}); },
     .slots = {&kernels::sum_forward},
     .constant_lines = false},
    {.name = "sum large",
     .shapes = {{64, 4096}},
     .op = [](const auto& x) { return sum(x[0], {1}); },
     .slots = {&kernels::sum_forward},
     .bench = true},
};

}  // namespace tapetum::test
