#pragma once
#include "kernels/elementwise.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> copy_slot{&kernels::copy_forward};

inline const std::vector<Case> view_cases = {
    {.name = "view",
     .shapes = {{4, 6}},
     .op =
         [](const auto& x) {
           return view(contiguous(x[0]), {2, -1, 3});
         },
     .slots = copy_slot},
    {.name = "reshape",
     .shapes = {{2, 3, 4}},
     .op =
         [](const auto& x) {
           return reshape(transpose(x[0], 0, 2), {4, -1});
         },
     .slots = copy_slot},
    {.name = "flatten", .shapes = {{2, 3, 4, 5}}, .op = [](const auto& x) { return flatten(x[0], 1, 2); }, .slots = copy_slot},
    {.name = "unflatten",
     .shapes = {{2, 12}},
     .op =
         [](const auto& x) {
           return unflatten(x[0], 1, {3, -1});
         },
     .slots = copy_slot},
    {.name = "squeeze", .shapes = {{1, 3, 1, 2}}, .op = [](const auto& x) { return squeeze(x[0]); }, .slots = copy_slot},
    {.name = "squeeze one", .shapes = {{1, 3, 1, 2}}, .op = [](const auto& x) { return squeeze(x[0], 2); }, .slots = copy_slot},
    {.name = "unsqueeze", .shapes = {{3, 2}}, .op = [](const auto& x) { return unsqueeze(x[0], -1); }, .slots = copy_slot},
    {.name = "permute",
     .shapes = {{2, 3, 4}},
     .op =
         [](const auto& x) {
           return permute(x[0], {2, 0, 1});
         },
     .slots = copy_slot},
    {.name = "transpose", .shapes = {{2, 3, 4}}, .op = [](const auto& x) { return contiguous(transpose(x[0], 0, -1)); }, .slots = copy_slot},
    {.name = "transpose in blocks",
     .shapes = {{2, 37, 18}},
     .op = [](const auto& x) { return contiguous(transpose(x[0], 1, 2)); },
     .slots = copy_slot},
    {.name = "transpose of bytes in blocks",
     .shapes = {{3, 40, 65}},
     .op = [](const auto& x) { return contiguous(transpose(gt(x[0], 0), 1, 2)); },
     .slots = copy_slot,
     .flat = true},
    {.name = "transpose of words in blocks",
     .shapes = {{2, 33, 2, 33}},
     .op =
         [](const auto& x) {
           return contiguous(permute(to(gt(x[0], 0), DType::i64), {2, 3, 0, 1}));
         },
     .slots = copy_slot,
     .flat = true},
    {.name = "channels_last in blocks", .shapes = {{2, 19, 4, 5}}, .op = [](const auto& x) { return channels_last(x[0]); }, .slots = copy_slot},
    {.name = "expand",
     .shapes = {{3, 1}},
     .op =
         [](const auto& x) {
           return expand(x[0], {2, -1, 4});
         },
     .slots = copy_slot},
    {.name = "slice", .shapes = {{2, 9}}, .op = [](const auto& x) { return slice(x[0], 1, 1, -1, 3); }, .slots = copy_slot},
    {.name = "slice_backward",
     .shapes = {{2, 3}},
     .op =
         [](const auto& x) {
           return slice_backward(x[0], {2, 9}, 1, 1, 3);
         },
     .slots = copy_slot},
    {.name = "narrow", .shapes = {{2, 9}}, .op = [](const auto& x) { return narrow(x[0], 1, -4, 3); }, .slots = copy_slot},
    {.name = "select", .shapes = {{2, 9}}, .op = [](const auto& x) { return select(x[0], 1, -2); }, .slots = copy_slot},
    {.name = "split",
     .shapes = {{2, 9}},
     .op =
         [](const auto& x) {
           return split(x[0], 4, 1)[2] + split(x[0], Shape{1, 8}, 1)[0];
         },
     .slots = copy_slot},
    {.name = "chunk", .shapes = {{2, 9}}, .op = [](const auto& x) { return chunk(x[0], 2, 1)[1]; }, .slots = copy_slot},
    {.name = "cat",
     .shapes = {{2, 3}, {2, 4}},
     .op =
         [](const auto& x) {
           return cat({x[0], x[1]}, 1);
         },
     .slots = copy_slot},
    {.name = "cat images",
     .shapes = {{2, 3, 4, 5}, {2, 2, 4, 5}},
     .op =
         [](const auto& x) {
           return cat({x[0], x[1]}, 1);
         },
     .slots = copy_slot},
    {.name = "stack",
     .shapes = {{2, 3}, {2, 3}},
     .op =
         [](const auto& x) {
           return stack({x[0], x[1]}, 1);
         },
     .slots = copy_slot},
    {.name = "flip",
     .shapes = {{2, 3, 4}},
     .op =
         [](const auto& x) {
           return flip(x[0], {0, -1});
         },
     .slots = copy_slot},
    {.name = "roll",
     .shapes = {{4, 5}},
     .op =
         [](const auto& x) {
           return roll(x[0], {1, -2}, {0, 1});
         },
     .slots = copy_slot},
    {.name = "roll flattened", .shapes = {{4, 5}}, .op = [](const auto& x) { return roll(x[0], {7}); }, .slots = copy_slot},
    {.name = "rot90", .shapes = {{4, 5}}, .op = [](const auto& x) { return rot90(x[0], -1, 0, 1); }, .slots = copy_slot},
    {.name = "rot90 once, other dimensions", .shapes = {{2, 4, 5}}, .op = [](const auto& x) { return rot90(x[0], 1, 2, 1); }, .slots = copy_slot},
    {.name = "repeat",
     .shapes = {{2, 3}},
     .op =
         [](const auto& x) {
           return repeat(x[0], {2, 1, 3});
         },
     .slots = copy_slot},
    {.name = "tile",
     .shapes = {{2, 2, 3}},
     .op =
         [](const auto& x) {
           return tile(x[0], {2, 1});
         },
     .slots = copy_slot},
    {.name = "clone", .shapes = {{2, 3, 4}}, .op = [](const auto& x) { return clone(transpose(x[0], 0, 1)); }, .slots = copy_slot},
    {.name = "contiguous",
     .shapes = {{2, 3, 4, 5}},
     .op =
         [](const auto& x) {
           return contiguous(permute(x[0], {3, 1, 0, 2}));
         },
     .slots = copy_slot},
    {.name = "channels_last", .shapes = {{2, 3, 4, 5}}, .op = [](const auto& x) { return channels_last(x[0]); }, .slots = copy_slot},
};

}  // namespace tapetum::test
