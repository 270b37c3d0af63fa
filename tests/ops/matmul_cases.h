#pragma once
#include "kernels/matmul.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<Case> matmul_cases = {
    {.name = "matmul",
     .shapes = {{5, 7}, {7, 3}},
     .op = [](const auto& x) { return matmul(x[0], x[1]); },
     .slots = {&kernels::matmul_forward}},
    {.name = "matmul batch",
     .shapes = {{3, 4, 5}, {3, 5, 6}},
     .op = [](const auto& x) { return matmul(x[0], x[1]); },
     .slots = {&kernels::matmul_forward}},
    {.name = "matmul transposed",
     .shapes = {{7, 5}, {3, 7}},
     .op = [](const auto& x) { return matmul(transpose(x[0], 0, 1), transpose(x[1], 0, 1)); },
     .slots = {&kernels::matmul_forward}},
    {.name = "matmul depth 0",
     .shapes = {{2, 0}, {0, 3}},
     .op = [](const auto& x) { return matmul(x[0], x[1]); },
     .slots = {&kernels::matmul_forward}},
    {.name = "linear",
     .shapes = {{4, 6}, {3, 6}, {3}},
     .op = [](const auto& x) { return linear(x[0], x[1], x[2]); },
     .slots = {&kernels::matmul_forward}},
    {.name = "matmul large",
     .shapes = {{150, 200}, {200, 130}},
     .op = [](const auto& x) { return matmul(x[0], x[1]); },
     .slots = {&kernels::matmul_forward},
     .bench = true},
};

}  // namespace tapetum::test
