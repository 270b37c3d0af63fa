#pragma once
#include "kernels/resize.h"
#include "tests/ops/case.h"

namespace tapetum::test {

// name, shape of x, options
#define INTERPOLATE(name_, shape_, ...)                                                                                                        \
  {                                                                                                                                            \
    .name = name_, .shapes = {shape_}, .op = [](const auto& x) { return interpolate(x[0], {__VA_ARGS__}); }, .slots = { &kernels::resample2d } \
  }

inline const std::vector<Case> resize_cases = {
    INTERPOLATE("interpolate nearest", (Shape{2, 5, 3, 4}), .size = {7, 6}),
    INTERPOLATE("interpolate nearest factor", (Shape{1, 2, 3, 4}), .scale_factor = {2, 1.5}),
    INTERPOLATE("interpolate nearest_exact", (Shape{1, 4, 7, 5}), .size = {3, 9}, .mode = Interpolation::nearest_exact),
    INTERPOLATE("interpolate bilinear", (Shape{2, 4, 3, 4}), .scale_factor = 2, .mode = Interpolation::bilinear),
    INTERPOLATE("interpolate bilinear odd", (Shape{1, 3, 5, 7}), .size = {8, 3}, .mode = Interpolation::bilinear),
    INTERPOLATE("interpolate bilinear corners", (Shape{1, 11, 4, 3}), .size = {7, 5}, .mode = Interpolation::bilinear, .align_corners = true),
    INTERPOLATE("interpolate bilinear to one", (Shape{1, 2, 4, 3}), .size = 1, .mode = Interpolation::bilinear, .align_corners = true),
    INTERPOLATE("interpolate bilinear antialias", (Shape{1, 4, 9, 8}), .size = {4, 3}, .mode = Interpolation::bilinear, .antialias = true),
    INTERPOLATE("interpolate bicubic", (Shape{2, 3, 4, 5}), .size = {7, 9}, .mode = Interpolation::bicubic),
    INTERPOLATE("interpolate bicubic corners", (Shape{1, 2, 5, 4}), .size = {8, 3}, .mode = Interpolation::bicubic, .align_corners = true),
    INTERPOLATE("interpolate bicubic antialias", (Shape{1, 2, 9, 5}), .size = {4, 7}, .mode = Interpolation::bicubic, .antialias = true),
    INTERPOLATE("interpolate area", (Shape{1, 4, 7, 6}), .size = {3, 4}, .mode = Interpolation::area),
    INTERPOLATE("interpolate one pixel", (Shape{1, 1, 1, 1}), .size = {2, 3}, .mode = Interpolation::bilinear),
    INTERPOLATE("interpolate no images", (Shape{0, 4, 3, 3}), .scale_factor = 2, .mode = Interpolation::bilinear),
    {.name = "pixel_shuffle", .shapes = {{2, 8, 3, 2}}, .op = [](const auto& x) { return pixel_shuffle(x[0], 2); }, .slots = {}},
    {.name = "pixel_unshuffle", .shapes = {{1, 2, 6, 3}}, .op = [](const auto& x) { return pixel_unshuffle(x[0], 3); }, .slots = {}},
    {.name = "pixel_shuffle one image", .shapes = {{8, 3, 2}}, .op = [](const auto& x) { return pixel_shuffle(x[0], 2); }, .slots = {}},
    {.name = "interpolate bilinear large",
     .shapes = {{2, 64, 128, 128}},
     .op = [](const auto& x) { return interpolate(x[0], {.scale_factor = 2, .mode = Interpolation::bilinear}); },
     .slots = {&kernels::resample2d},
     .bench = true},
};

#undef INTERPOLATE

}  // namespace tapetum::test
