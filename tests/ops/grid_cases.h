#pragma once
#include "kernels/grid.h"
#include "kernels/matmul.h"
#include "tests/ops/case.h"

namespace tapetum::test {

// The grid, the last input, reaches beyond the image.
inline Case sample_case(const char* name, const Shape& x, const Shape& grid, const GridSampleOptions& options) {
  return {.name = name,
          .shapes = {x, grid},
          .op = [=](const auto& x) { return grid_sample(x[0], x[1], options); },
          .slots = {&kernels::grid_sample_forward, &kernels::grid_sample_grad_input, &kernels::grid_sample_grad_grid},
          .amplification = 4};
}

using enum GridSampleMode;
using enum GridSamplePadding;

inline const std::vector<Case> grid_cases = {
    sample_case("grid_sample", {2, 3, 5, 4}, {2, 3, 2, 2}, {}),
    sample_case("grid_sample corners", {2, 5, 4, 6}, {2, 2, 3, 2}, {.align_corners = true}),
    sample_case("grid_sample border", {1, 3, 4, 5}, {1, 4, 3, 2}, {.padding_mode = border}),
    sample_case("grid_sample border corners", {1, 3, 4, 5}, {1, 4, 3, 2}, {.padding_mode = border, .align_corners = true}),
    sample_case("grid_sample reflection", {1, 2, 4, 5}, {1, 4, 3, 2}, {.padding_mode = reflection}),
    sample_case("grid_sample reflection corners", {1, 2, 4, 3}, {1, 4, 3, 2}, {.padding_mode = reflection, .align_corners = true}),
    sample_case("grid_sample nearest", {2, 3, 5, 4}, {2, 3, 2, 2}, {.mode = nearest}),
    sample_case("grid_sample nearest border", {2, 6, 5, 4}, {2, 3, 2, 2}, {.mode = nearest, .padding_mode = border, .align_corners = true}),
    sample_case("grid_sample bicubic", {2, 3, 5, 4}, {2, 3, 2, 2}, {.mode = bicubic}),
    sample_case("grid_sample bicubic border", {1, 4, 3, 4}, {1, 3, 2, 2}, {.mode = bicubic, .padding_mode = border, .align_corners = true}),
    sample_case("grid_sample bicubic reflection", {1, 4, 3, 4}, {1, 3, 2, 2}, {.mode = bicubic, .padding_mode = reflection}),
    sample_case("grid_sample one pixel", {1, 2, 1, 1}, {1, 3, 2, 2}, {.padding_mode = reflection, .align_corners = true}),
    sample_case("grid_sample several tiles", {2, 19, 37, 21}, {2, 23, 25, 2}, {}),
    sample_case("grid_sample no places", {2, 3, 5, 4}, {2, 0, 2, 2}, {}),
    sample_case("grid_sample no channels", {2, 0, 5, 4}, {2, 3, 2, 2}, {}),
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
    {.name = "grid_sample images",
     .shapes = {{4, 32, 128, 128}, {4, 128, 128, 2}},
     .op = [](const auto& x) { return grid_sample(x[0], x[1] * 0.5); },
     .slots = {&kernels::grid_sample_forward},
     .bench = true},
};

}  // namespace tapetum::test
