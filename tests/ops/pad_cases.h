#pragma once
#include "kernels/elementwise.h"
#include "kernels/resize.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<Case> pad_cases = {
    {.name = "pad",
     .shapes = {{2, 5, 3, 4}},
     .op =
         [](const auto& x) {
           return pad(x[0], {1, 2, 0, 3});
         },
     .slots = {&kernels::copy_forward}},
    {.name = "pad a row",
     .shapes = {{7}},
     .op =
         [](const auto& x) {
           return pad(x[0], {2, 1}, {.value = 1.5});
         },
     .slots = {&kernels::copy_forward}},
    {.name = "pad and cut",
     .shapes = {{3, 4, 5}},
     .op =
         [](const auto& x) {
           return pad(x[0], {-2, 1, 3, -1, 1, 1}, {.value = -1});
         },
     .slots = {&kernels::copy_forward}},
    {.name = "pad nothing there",
     .shapes = {{0, 3}},
     .op =
         [](const auto& x) {
           return pad(x[0], {1, 1, 2, 0});
         },
     .slots = {&kernels::copy_forward}},
    {.name = "pad reflect",
     .shapes = {{2, 4, 4, 5}},
     .op =
         [](const auto& x) {
           return pad(x[0], {2, 4, 3, 1}, {.mode = PadMode::reflect});
         },
     .slots = {&kernels::resample2d}},
    {.name = "pad reflect and cut",
     .shapes = {{3, 4, 5}},
     .op =
         [](const auto& x) {
           return pad(x[0], {2, -1}, {.mode = PadMode::reflect});
         },
     .slots = {&kernels::resample2d}},
    {.name = "pad replicate",
     .shapes = {{1, 3, 2, 3}},
     .op =
         [](const auto& x) {
           return pad(x[0], {5, 1, -1, 4}, {.mode = PadMode::replicate});
         },
     .slots = {&kernels::resample2d}},
};

}  // namespace tapetum::test
