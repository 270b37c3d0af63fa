#pragma once
#include "kernels/norm.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> layer_norm_slots{&kernels::layer_norm_forward, &kernels::layer_norm_backward};

inline const std::vector<const kernels::SlotBase*> channel_norm_slots{&kernels::channel_moments, &kernels::channel_norm_forward,
                                                                      &kernels::channel_norm_backward};

// Batch norm in training, without running statistics.
inline Tensor batch_norm_of(const std::vector<Tensor>& x, double epsilon = 1e-5) {
  return batch_norm(x[0], x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor(), {}, {}, {.training = true, .epsilon = epsilon});
}
// With given statistics: no gradient flows into them.
inline Tensor batch_norm_fixed(const std::vector<Tensor>& x) {
  const Tensor mean = full({x[0].size(1)}, 0.25, x[0].dtype()), var = full({x[0].size(1)}, 1.5, x[0].dtype());
  return batch_norm(x[0], x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor(), mean, var, {.epsilon = 1e-3});
}

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
    {.name = "batch_norm",
     .shapes = {{2, 5, 3, 4}, {5}, {5}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm few channels",
     .shapes = {{3, 3, 4, 2}, {3}, {3}},
     .op = [](const auto& x) { return batch_norm_of(x, 0.1); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm without weights",
     .shapes = {{2, 4, 3, 3}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm of vectors",
     .shapes = {{7, 13}, {13}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm of volumes",
     .shapes = {{2, 3, 2, 3, 2}, {3}, {3}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm many rows",
     .shapes = {{3, 70, 23, 31}, {70}, {70}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm large planes",
     .shapes = {{2, 2, 61, 53}, {2}, {2}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm mean far from zero",
     .shapes = {{2, 6, 40, 40}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .low = 999.9,
     .high = 1000.1,
     .constant_lines = false,
     .amplification = 1e5},  // the mean itself, rounded to f64, is off by 1e-16 * 1000 / 0.06; f32 has a test of its own
    {.name = "batch_norm no images",
     .shapes = {{0, 4, 3, 3}, {4}, {4}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm inference",
     .shapes = {{2, 5, 3, 4}, {5}, {5}},
     .op = [](const auto& x) { return batch_norm_fixed(x); },
     .slots = channel_norm_slots},
    {.name = "batch_norm inference without weights",
     .shapes = {{2, 3, 2, 2}},
     .op = [](const auto& x) { return batch_norm_fixed(x); },
     .slots = channel_norm_slots},
    {.name = "group_norm",
     .shapes = {{2, 6, 3, 5}, {6}, {6}},
     .op = [](const auto& x) { return group_norm(x[0], 2, x[1], x[2]); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "group_norm all options",
     .shapes = {{3, 8, 7}},
     .op = [](const auto& x) { return group_norm(x[0], 1, {}, {}, {.epsilon = 0.1}); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "instance_norm",
     .shapes = {{3, 4, 3, 5}, {4}, {4}},
     .op = [](const auto& x) { return instance_norm(x[0], x[1], x[2]); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "instance_norm all options",
     .shapes = {{2, 3, 9, 40}},
     .op = [](const auto& x) { return instance_norm(x[0], {}, {}, {.epsilon = 0.1}); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "batch_norm large",
     .shapes = {{2, 64, 256, 256}, {64}, {64}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = {&kernels::channel_norm_forward},
     .bench = true},
};

}  // namespace tapetum::test
