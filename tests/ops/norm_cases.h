#pragma once
#include "kernels/norm.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> layer_norm_slots{&kernels::layer_norm_forward, &kernels::layer_norm_backward};

inline const std::vector<const kernels::SlotBase*> channel_norm_slots{&kernels::channel_moments, &kernels::channel_norm_forward,
                                                                      &kernels::channel_norm_backward};

// Batch norm in training, without running statistics.
inline Tensor batch_norm_of(const std::vector<Tensor>& x, double eps = 1e-5) {
  return batch_norm(x[0], {}, {}, x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor(), {.training = true, .eps = eps});
}
// With given statistics: no gradient flows into them.
inline Tensor batch_norm_fixed(const std::vector<Tensor>& x, double eps = 1e-5) {
  const Tensor mean = full({x[0].size(1)}, 0.25, x[0].dtype(), x[0].device()), var = full({x[0].size(1)}, 1.5, x[0].dtype(), x[0].device());
  return batch_norm(x[0], mean, var, x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor(), {.eps = eps});
}

// An activation at its end: in training, or with given statistics.
inline Tensor batch_norm_act_of(const std::vector<Tensor>& x, ConvActivation activation, double eps = 1e-5) {
  return batch_norm_act(x[0], {}, {}, x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor(), activation, {.training = true, .eps = eps});
}
inline Tensor batch_norm_act_fixed(const std::vector<Tensor>& x, ConvActivation activation, double eps = 1e-5) {
  const Tensor mean = full({x[0].size(1)}, 0.25, x[0].dtype(), x[0].device()), var = full({x[0].size(1)}, 1.5, x[0].dtype(), x[0].device());
  return batch_norm_act(x[0], mean, var, x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor(), activation, {.eps = eps});
}
template <class F> Case norm_act_row(const char* name, std::vector<Shape> shapes, F op) {
  return {.name = name, .shapes = std::move(shapes), .op = op, .slots = channel_norm_slots, .low = -1, .high = 1, .constant_lines = false};
}

inline const std::vector<Case> norm_cases = {
    {.name = "layer_norm",
     .shapes = {{4, 9}, {9}, {9}},
     .op = [](const auto& x) { return layer_norm(x[0], x[1].shape(), x[1], x[2]); },
     .slots = layer_norm_slots,
     .constant_lines = false},
    {.name = "layer_norm eps",
     .shapes = {{2, 3, 5}, {5}, {5}},
     .op = [](const auto& x) { return layer_norm(x[0], x[1].shape(), x[1], x[2], {.eps = 0.1}); },
     .slots = layer_norm_slots,
     .constant_lines = false},
    {.name = "layer_norm over two dimensions",
     .shapes = {{3, 2, 5}, {2, 5}},
     .op =
         [](const auto& x) {
           return layer_norm(x[0], {2, 5}, x[1], {});
         },
     .slots = layer_norm_slots,
     .constant_lines = false},
    {.name = "layer_norm without weights",
     .shapes = {{3, 17}},
     .op = [](const auto& x) { return layer_norm(x[0], {17}, {}, {}); },
     .slots = layer_norm_slots,
     .constant_lines = false},
    {.name = "layer_norm no rows",
     .shapes = {{0, 5}, {5}, {5}},
     .op = [](const auto& x) { return layer_norm(x[0], x[1].shape(), x[1], x[2]); },
     .slots = layer_norm_slots,
     .constant_lines = false},
    {.name = "normalize", .shapes = {{3, 4, 2}}, .op = [](const auto& x) { return normalize(x[0]); }, .slots = {}},
    {.name = "normalize all options",
     .shapes = {{3, 4}},
     .op = [](const auto& x) { return normalize(x[0], {.p = 3, .dim = 0, .eps = 1e-3}); },
     .slots = {}},
    {.name = "cosine_similarity", .shapes = {{3, 5}, {3, 5}}, .op = [](const auto& x) { return cosine_similarity(x[0], x[1]); }, .slots = {}},
    {.name = "cosine_similarity all options",
     .shapes = {{3, 5, 2}, {5, 1}},
     .op = [](const auto& x) { return cosine_similarity(x[0], x[1], {.dim = -2, .eps = 0.1}); },
     .slots = {}},
    {.name = "layer_norm large",
     .shapes = {{256, 512}, {512}, {512}},
     .op = [](const auto& x) { return layer_norm(x[0], x[1].shape(), x[1], x[2]); },
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
     .op = [](const auto& x) { return batch_norm_fixed(x, 0.1); },
     .slots = channel_norm_slots},
    {.name = "group_norm",
     .shapes = {{2, 6, 3, 5}, {6}, {6}},
     .op = [](const auto& x) { return group_norm(x[0], 2, x[1], x[2]); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "group_norm all options",
     .shapes = {{3, 8, 7}},
     .op = [](const auto& x) { return group_norm(x[0], 1, {}, {}, {.eps = 0.1}); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "group_norm no images",
     .shapes = {{0, 4, 3, 3}, {4}, {4}},
     .op = [](const auto& x) { return group_norm(x[0], 2, x[1], x[2]); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "instance_norm",
     .shapes = {{3, 4, 3, 5}, {4}, {4}},
     .op = [](const auto& x) { return instance_norm(x[0], x[1], x[2]); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    {.name = "instance_norm all options",
     .shapes = {{2, 3, 9, 40}},
     .op = [](const auto& x) { return instance_norm(x[0], {}, {}, {.eps = 0.1}); },
     .slots = channel_norm_slots,
     .constant_lines = false},
    norm_act_row("batch_norm_act relu", {{2, 5, 3, 4}, {5}, {5}}, [](const auto& x) { return batch_norm_act_of(x, ConvActivation::relu); }),
    norm_act_row("batch_norm_act silu", {{2, 5, 3, 4}, {5}, {5}}, [](const auto& x) { return batch_norm_act_of(x, ConvActivation::silu, 0.1); }),
    norm_act_row("batch_norm_act none", {{2, 5, 3, 4}, {5}, {5}}, [](const auto& x) { return batch_norm_act_of(x, ConvActivation::none); }),
    norm_act_row("batch_norm_act relu, few channels", {{3, 3, 4, 2}, {3}, {3}},
                 [](const auto& x) { return batch_norm_act_of(x, ConvActivation::relu, 0.1); }),
    norm_act_row("batch_norm_act relu, without weights", {{2, 4, 3, 3}}, [](const auto& x) { return batch_norm_act_of(x, ConvActivation::relu); }),
    norm_act_row("batch_norm_act silu, vectors", {{7, 13}, {13}}, [](const auto& x) { return batch_norm_act_of(x, ConvActivation::silu); }),
    norm_act_row("batch_norm_act silu, volumes", {{2, 3, 2, 3, 2}, {3}, {3}},
                 [](const auto& x) { return batch_norm_act_of(x, ConvActivation::silu); }),
    norm_act_row("batch_norm_act relu, many rows", {{3, 70, 23, 31}, {70}, {70}},
                 [](const auto& x) { return batch_norm_act_of(x, ConvActivation::relu); }),
    norm_act_row("batch_norm_act silu, large planes", {{2, 2, 61, 53}, {2}, {2}},
                 [](const auto& x) { return batch_norm_act_of(x, ConvActivation::silu); }),
    norm_act_row("batch_norm_act relu, no images", {{0, 4, 3, 3}, {4}, {4}},
                 [](const auto& x) { return batch_norm_act_of(x, ConvActivation::relu); }),
    norm_act_row("batch_norm_act relu, inference", {{2, 5, 3, 4}, {5}, {5}},
                 [](const auto& x) { return batch_norm_act_fixed(x, ConvActivation::relu); }),
    norm_act_row("batch_norm_act silu, inference without weights", {{2, 3, 2, 2}},
                 [](const auto& x) { return batch_norm_act_fixed(x, ConvActivation::silu, 0.1); }),
    {.name = "local_response_norm", .shapes = {{2, 6, 3, 2}}, .op = [](const auto& x) { return local_response_norm(x[0], 3); }, .slots = {}},
    {.name = "local_response_norm options",
     .shapes = {{2, 5, 7}},
     .op = [](const auto& x) { return local_response_norm(x[0], 4, {.alpha = 0.5, .beta = 0.6, .k = 2}); },
     .slots = {}},
    {.name = "batch_norm large",
     .shapes = {{2, 64, 256, 256}, {64}, {64}},
     .op = [](const auto& x) { return batch_norm_of(x); },
     .slots = {&kernels::channel_norm_forward},
     .bench = true},
    {.name = "batch_norm_act large",
     .shapes = {{2, 64, 256, 256}, {64}, {64}},
     .op = [](const auto& x) { return batch_norm_act_of(x, ConvActivation::relu); },
     .slots = {&kernels::channel_norm_forward},
     .bench = true},
};

}  // namespace tapetum::test
