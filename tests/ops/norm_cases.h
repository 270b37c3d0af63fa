#pragma once
#include "kernels/norm.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> layer_norm_slots{&kernels::layer_norm_forward, &kernels::layer_norm_backward};

inline const std::vector<Case> norm_cases = {
    {.name = "layer_norm",
     .shapes = {{4, 9}, {9}, {9}},
     .op = [](const auto& x) { return layer_norm(x[0], x[1], x[2]); },
     .slots = layer_norm_slots,
     .constant_lines = false},
    {.name = "layer_norm epsilon",
     .shapes = {{2, 3, 5}, {5}, {5}},
     .op = [](const auto& x) { return layer_norm(x[0], x[1], x[2], {.epsilon = 0.1}); },
     .slots = layer_norm_slots,
     .constant_lines = false},
    {.name = "layer_norm large",
     .shapes = {{256, 512}, {512}, {512}},
     .op = [](const auto& x) { return layer_norm(x[0], x[1], x[2]); },
     .slots = layer_norm_slots,
     .bench = true},
};

}  // namespace tapetum::test
