#pragma once
#include "kernels/fold.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> fold_slots = {&kernels::unfold_forward, &kernels::fold_forward};

inline const std::vector<Case> fold_cases = {
    {.name = "unfold",
     .shapes = {{2, 3, 5, 6}},
     .op =
         [](const auto& x) {
           return unfold(x[0], {3, 2});
         },
     .slots = fold_slots},
    {.name = "unfold options",
     .shapes = {{1, 2, 6, 7}},
     .op =
         [](const auto& x) {
           return unfold(x[0], {2, 3}, {.dilation = {2, 1}, .padding = {1, 2}, .stride = {2, 3}});
         },
     .slots = fold_slots},
    {.name = "unfold image", .shapes = {{3, 4, 5}}, .op = [](const auto& x) { return unfold(x[0], 2, {.stride = 2}); }, .slots = fold_slots},
    {.name = "unfold taps outside",
     .shapes = {{1, 1, 2, 2}},
     .op =
         [](const auto& x) {
           return unfold(x[0], 3, {.padding = 4, .stride = {1, 4}});
         },
     .slots = fold_slots},
    {.name = "unfold no images", .shapes = {{0, 3, 5, 6}}, .op = [](const auto& x) { return unfold(x[0], 2); }, .slots = fold_slots},
    {.name = "fold",
     .shapes = {{2, 12, 8}},
     .op =
         [](const auto& x) {
           return fold(x[0], {5, 3}, 2);
         },
     .slots = fold_slots},
    {.name = "fold options",
     .shapes = {{2, 6, 16}},
     .op =
         [](const auto& x) {
           return fold(x[0], {6, 7}, {3, 1}, {.dilation = {2, 1}, .padding = {1, 0}, .stride = {1, 2}});
         },
     .slots = fold_slots},
    {.name = "fold image",
     .shapes = {{8, 6}},
     .op =
         [](const auto& x) {
           return fold(x[0], {4, 6}, 2, {.stride = 2});
         },
     .slots = fold_slots},
    {.name = "unfold images",
     .shapes = {{4, 32, 64, 64}},
     .op = [](const auto& x) { return unfold(x[0], 3, {.padding = 1}); },
     .slots = {&kernels::unfold_forward},
     .bench = true},
};

}  // namespace tapetum::test
