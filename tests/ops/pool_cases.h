#pragma once
#include "kernels/pool.h"
#include "kernels/resize.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> max_pool_slots{&kernels::max_pool2d_forward, &kernels::max_pool2d_gather,
                                                                  &kernels::max_pool2d_scatter};

// The gradient of max_pool2d for the cotangent gy, as an op of its own.
inline Tensor max_pool2d_gradient(const Tensor& x, const Tensor& gy, Size2 kernel_size, const MaxPool2dOptions& options) {
  ModesGuard recording({.grad = true, .tracer = modes.tracer});  // finite differences call this without
  const Tensor leaf = x.requires_grad() ? x : x.detach().set_requires_grad();
  return grad({max_pool2d(leaf, kernel_size, options)}, {leaf}, {gy}, {.create_graph = true})[0];
}

inline const std::vector<Case> pool_cases = {
    {.name = "max_pool2d",
     .shapes = {{2, 5, 6, 4}},
     .op = [](const auto& x) { return max_pool2d(x[0], 2); },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d overlapping",
     .shapes = {{1, 11, 5, 7}},
     .op = [](const auto& x) { return max_pool2d(x[0], 3, {.stride = 1, .padding = 1}); },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d window past both ends of a short side",
     .shapes = {{2, 3, 2, 5}},
     .op = [](const auto& x) { return max_pool2d(x[0], 3, {.stride = 2, .ceil_mode = true}); },
     .slots = max_pool_slots},
    {.name = "max_pool2d all options",
     .shapes = {{2, 3, 9, 12}},
     .op =
         [](const auto& x) {
           return max_pool2d(x[0], {2, 3}, {.stride = {3, 2}, .padding = {0, 2}, .dilation = {3, 2}, .ceil_mode = true});
         },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d steps of a dilation over all columns",
     .shapes = {{1, 2, 5, 1}},
     .op =
         [](const auto& x) {
           return clamp(max_pool2d(x[0], 2, {.stride = 2, .padding = {1, 2}, .dilation = {1, 3}, .ceil_mode = true}), -9, 9);
         },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d steps of a dilation over all rows",
     .shapes = {{1, 1, 1, 70}},
     .op =
         [](const auto& x) {
           return clamp(max_pool2d(x[0], 2, {.stride = {2, 1}, .padding = {2, 1}, .dilation = {3, 1}, .ceil_mode = true}), -9, 9);
         },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d wide plane",
     .shapes = {{1, 1, 3, 43}},
     .op =
         [](const auto& x) {
           return max_pool2d(x[0], 3, {.stride = {1, 2}, .padding = 1});
         },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d one element",
     .shapes = {{1, 1, 1, 1}},
     .op = [](const auto& x) { return max_pool2d(x[0], 1); },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d no images",
     .shapes = {{0, 4, 4, 4}},
     .op = [](const auto& x) { return max_pool2d(x[0], 2); },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d indices",
     .shapes = {{2, 9, 7, 5}},
     .op = [](const auto& x) { return max_pool2d_with_indices(x[0], 3, {.stride = 2}).indices; },
     .slots = {&kernels::max_pool2d_forward},
     .flat = true},
    {.name = "max_pool2d of one image",
     .shapes = {{5, 6, 4}},
     .op = [](const auto& x) { return max_pool2d(x[0], 3, {.stride = 2}); },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d gradient",
     .shapes = {{1, 5, 4, 5}, {1, 5, 2, 3}},
     .op = [](const auto& x) { return max_pool2d_gradient(x[0], x[1], 3, {.stride = 1}); },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "max_pool2d gradient all options",
     .shapes = {{2, 3, 5, 4}, {2, 3, 3, 3}},
     .op = [](const auto& x) { return max_pool2d_gradient(x[0], x[1], 2, {.padding = 1, .dilation = 2, .ceil_mode = true}); },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "adaptive_max_pool2d",
     .shapes = {{2, 4, 7, 5}},
     .op =
         [](const auto& x) {
           return adaptive_max_pool2d(x[0], {3, 4});
         },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "adaptive_max_pool2d more than there is",
     .shapes = {{1, 2, 2, 3}},
     .op =
         [](const auto& x) {
           return adaptive_max_pool2d(x[0], {5, 3});
         },
     .slots = max_pool_slots,
     .constant_lines = false},
    {.name = "avg_pool2d", .shapes = {{2, 5, 6, 4}}, .op = [](const auto& x) { return avg_pool2d(x[0], 2); }, .slots = {&kernels::resample2d}},
    {.name = "avg_pool2d padding counted",
     .shapes = {{1, 9, 7, 5}},
     .op = [](const auto& x) { return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}); },
     .slots = {&kernels::resample2d}},
    {.name = "avg_pool2d all options",
     .shapes = {{2, 3, 7, 10}},
     .op =
         [](const auto& x) {
           return avg_pool2d(x[0], {3, 2}, {.stride = {2, 3}, .padding = {1, 0}, .ceil_mode = true, .count_include_pad = false});
         },
     .slots = {&kernels::resample2d}},
    {.name = "avg_pool2d divisor",
     .shapes = {{1, 4, 4, 4}},
     .op = [](const auto& x) { return avg_pool2d(x[0], 2, {.stride = 1, .divisor_override = 3}); },
     .slots = {&kernels::resample2d}},
    {.name = "avg_pool2d no images",
     .shapes = {{0, 4, 4, 4}},
     .op = [](const auto& x) { return avg_pool2d(x[0], 2); },
     .slots = {&kernels::resample2d}},
    {.name = "adaptive_avg_pool2d",
     .shapes = {{2, 4, 7, 5}},
     .op =
         [](const auto& x) {
           return adaptive_avg_pool2d(x[0], {3, 4});
         },
     .slots = {&kernels::resample2d}},
    {.name = "adaptive_avg_pool2d to one",
     .shapes = {{2, 3, 5, 4}},
     .op = [](const auto& x) { return adaptive_avg_pool2d(x[0], 1); },
     .slots = {&kernels::resample2d}},
    {.name = "adaptive_avg_pool2d to one, many channels",
     .shapes = {{1, 83, 2, 2}},
     .op = [](const auto& x) { return adaptive_avg_pool2d(channels_last(x[0]), 1); },
     .slots = {&kernels::resample2d}},
    {.name = "avg_pool2d many channels",
     .shapes = {{1, 70, 2, 4}},
     .op = [](const auto& x) { return avg_pool2d(channels_last(x[0]), 2); },
     .slots = {&kernels::resample2d}},
    {.name = "adaptive_avg_pool2d more than there is",
     .shapes = {{1, 2, 2, 3}},
     .op =
         [](const auto& x) {
           return adaptive_avg_pool2d(x[0], {5, 3});
         },
     .slots = {&kernels::resample2d}},
    {.name = "avg_pool2d of one image",
     .shapes = {{3, 4, 5}},
     .op = [](const auto& x) { return avg_pool2d(x[0], 2) + adaptive_avg_pool2d(x[0], 2); },
     .slots = {&kernels::resample2d}},
    {.name = "max_pool2d n1c32h128",
     .shapes = {{1, 32, 128, 128}},
     .op = [](const auto& x) { return max_pool2d(x[0], 2); },
     .slots = {&kernels::max_pool2d_forward},
     .bench = true},
    {.name = "max_pool2d large",
     .shapes = {{2, 64, 256, 256}},
     .op = [](const auto& x) { return max_pool2d(x[0], 2); },
     .slots = {&kernels::max_pool2d_forward},
     .bench = true},
};

}  // namespace tapetum::test
