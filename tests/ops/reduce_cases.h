#pragma once
#include <limits>

#include "kernels/reduce.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<Case> reduce_cases = {
    {.name = "sum all", .shapes = {{3, 4, 5}}, .op = [](const auto& x) { return sum(x[0]); }, .slots = {&kernels::sum_forward}},
    {.name = "sum last", .shapes = {{3, 4, 35}}, .op = [](const auto& x) { return sum(x[0], {-1}); }, .slots = {&kernels::sum_forward}},
    {.name = "sum first two, kept",
     .shapes = {{3, 4, 5}},
     .op =
         [](const auto& x) {
           return sum(x[0], {0, 1}, true);
         },
     .slots = {&kernels::sum_forward}},
    {.name = "sum of nothing", .shapes = {{3, 0}}, .op = [](const auto& x) { return sum(x[0], {1}); }, .slots = {&kernels::sum_forward}},
    {.name = "mean",
     .shapes = {{2, 3, 4, 5}},
     .op =
         [](const auto& x) {
           return mean(x[0], {2, 3});
         },
     .slots = {&kernels::sum_forward}},
    {.name = "var",
     .shapes = {{3, 40}},
     .op = [](const auto& x) { return var(x[0], {1}); },
     .slots = {&kernels::sum_forward},
     .constant_lines = false},
    {.name = "var, biased",
     .shapes = {{3, 4, 5}},
     .op =
         [](const auto& x) {
           return var(x[0], {0, 2}, {.correction = 0, .keepdim = true});
         },
     .slots = {&kernels::sum_forward},
     .constant_lines = false},
    {.name = "std",
     .shapes = {{3, 14}},
     .op = [](const auto& x) { return std(x[0], {1}); },
     .slots = {&kernels::sum_forward},
     .constant_lines = false},
    {.name = "sum images",
     .shapes = {{2, 5, 3, 4}},
     .op =
         [](const auto& x) {
           return sum(x[0], {0, 2, 3});
         },
     .slots = {&kernels::sum_forward}},
    {.name = "sum in parts", .shapes = {{3, 40000}}, .op = [](const auto& x) { return sum(x[0], {1}); }, .slots = {&kernels::sum_forward}},
    {.name = "sum in parts, down columns",
     .shapes = {{30000, 3}},
     .op = [](const auto& x) { return sum(x[0], {0}); },
     .slots = {&kernels::sum_forward}},
    {.name = "prod", .shapes = {{3, 7}}, .op = [](const auto& x) { return prod(x[0], {1}); }, .slots = {&kernels::prod_forward}, .amplification = 4},
    {.name = "amax", .shapes = {{3, 70}}, .op = [](const auto& x) { return amax(x[0], {1}); }, .slots = {&kernels::amax_forward}},
    {.name = "amin", .shapes = {{30, 7}}, .op = [](const auto& x) { return amin(x[0], {0}, true); }, .slots = {&kernels::amin_forward}},
    {.name = "amax of all", .shapes = {{3, 7}}, .op = [](const auto& x) { return amax(x[0]); }, .slots = {&kernels::amax_forward}},
    {.name = "amin of the last", .shapes = {{3, 7}}, .op = [](const auto& x) { return amin(x[0], {1}); }, .slots = {&kernels::amin_forward}},
    {.name = "argmin of the last",
     .shapes = {{3, 7}},
     .op = [](const auto& x) { return argmin(round(x[0] * 4), 1); },
     .slots = {&kernels::argmin_forward},
     .flat = true},
    {.name = "prod of the first",
     .shapes = {{3, 7}},
     .op = [](const auto& x) { return prod(x[0], {0}, true); },
     .slots = {&kernels::prod_forward},
     .amplification = 4},
    {.name = "cumsum of the last", .shapes = {{3, 5, 4}}, .op = [](const auto& x) { return cumsum(x[0], -1); }, .slots = {&kernels::cumsum_forward}},
    {.name = "argmax",
     .shapes = {{3, 70}},
     .op = [](const auto& x) { return argmax(round(x[0] * 4), 1); },
     .slots = {&kernels::argmax_forward},
     .flat = true},
    {.name = "argmax all",
     .shapes = {{2, 5, 3, 4}},
     .op = [](const auto& x) { return argmax(x[0]); },
     .slots = {&kernels::argmax_forward},
     .flat = true},
    {.name = "argmin",
     .shapes = {{30, 7}},
     .op = [](const auto& x) { return argmin(round(x[0] * 4), 0, true); },
     .slots = {&kernels::argmin_forward},
     .flat = true},
    {.name = "norm 2", .shapes = {{3, 14}}, .op = [](const auto& x) { return norm(x[0], 2, {1}); }, .slots = {&kernels::sum_forward}},
    {.name = "norm 3",
     .shapes = {{3, 14}},
     .op = [](const auto& x) { return norm(x[0], 3, {1}); },
     .slots = {&kernels::sum_forward},
     .amplification = 4},
    {.name = "norm 1", .shapes = {{3, 14}}, .op = [](const auto& x) { return norm(x[0], 1); }, .slots = {&kernels::sum_forward}},
    {.name = "norm infinity",
     .shapes = {{3, 14}},
     .op = [](const auto& x) { return norm(x[0], std::numeric_limits<double>::infinity(), {1}); },
     .slots = {&kernels::amax_forward}},
    {.name = "logsumexp",
     .shapes = {{3, 14}},
     .op = [](const auto& x) { return logsumexp(x[0] * 20, {1}); },
     .slots = {&kernels::sum_forward, &kernels::amax_forward},
     .amplification = 16},
    {.name = "any", .shapes = {{30, 2}}, .op = [](const auto& x) { return any(x[0] > 0, {1}); }, .slots = {&kernels::sum_forward}, .flat = true},
    {.name = "all", .shapes = {{30, 2}}, .op = [](const auto& x) { return all(x[0] > 0, {1}); }, .slots = {&kernels::sum_forward}, .flat = true},
    {.name = "count_nonzero",
     .shapes = {{30, 2}},
     .op = [](const auto& x) { return count_nonzero(round(x[0])); },
     .slots = {&kernels::sum_forward},
     .flat = true},
    {.name = "cumsum", .shapes = {{3, 5, 4}}, .op = [](const auto& x) { return cumsum(x[0], 1); }, .slots = {&kernels::cumsum_forward}},
    {.name = "sum large",
     .shapes = {{64, 4096}},
     .op = [](const auto& x) { return sum(x[0], {1}); },
     .slots = {&kernels::sum_forward},
     .bench = true},
};

}  // namespace tapetum::test
