#pragma once
#include "kernels/matmul.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<Case> grid_cases = {
    {.name = "affine_grid",
     .shapes = {{2, 2, 3}},
     .op =
         [](const auto& x) {
           return affine_grid(x[0], {2, 5, 3, 4});
         },
     .slots = {&kernels::matmul_forward},
     .amplification = 4},
    {.name = "affine_grid corners",
     .shapes = {{1, 2, 3}},
     .op =
         [](const auto& x) {
           return affine_grid(x[0], {1, 5, 4, 1}, true);
         },
     .slots = {&kernels::matmul_forward},
     .amplification = 4},
};

}  // namespace tapetum::test
