#pragma once
#include "kernels/index.h"
#include "tests/ops/case.h"

namespace tapetum::test {

// Indices below `limit`, some of them equal.
inline Tensor indices(const Tensor& like, const Shape& shape, int64_t limit) {
  Tensor t = empty(shape, DType::i64);
  auto* p = t.mutable_data<int64_t>();
  for (int64_t i = 0; i < t.numel(); ++i) p[i] = (i * 5 + i / 3) % limit;
  return like.defined() ? to(t, like.device()) : t;
}

inline const std::vector<const kernels::SlotBase*> gather_slots = {&kernels::gather_forward, &kernels::scatter_add_forward};

inline const std::vector<Case> index_cases = {
    {.name = "gather last",
     .shapes = {{3, 7}},
     .op =
         [](const auto& x) {
           return gather(x[0], -1, indices(x[0], {2, 9}, 7));
         },
     .slots = gather_slots},
    {.name = "gather channels",
     .shapes = {{2, 5, 3, 4}},
     .op =
         [](const auto& x) {
           return gather(x[0], 1, indices(x[0], {2, 2, 3, 4}, 5));
         },
     .slots = gather_slots},
    {.name = "gather first",
     .shapes = {{6, 5}},
     .op =
         [](const auto& x) {
           return gather(x[0], 0, indices(x[0], {4, 3}, 6));
         },
     .slots = gather_slots},
    {.name = "gather scalar", .shapes = {{}}, .op = [](const auto& x) { return gather(x[0], 0, indices(x[0], {}, 1)); }, .slots = gather_slots},
    {.name = "gather nothing",
     .shapes = {{3, 4}},
     .op =
         [](const auto& x) {
           return gather(x[0], 1, indices(x[0], {3, 0}, 1));
         },
     .slots = gather_slots,
     .flat = true},
    {.name = "gather_backward",
     .shapes = {{4, 6}},
     .op =
         [](const auto& x) {
           return gather_backward(x[0], 1, indices(x[0], {4, 6}, 3), {5, 3});
         },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "scatter",
     .shapes = {{4, 6}, {3, 5}},
     .op =
         [](const auto& x) {
           return scatter(x[0], 1, tensor({0, 5, 2, 3, 1, 4}, {3, 2}, DType::i64).to(x[0].device()), x[1]);
         },
     .slots = {&kernels::scatter_forward, &kernels::gather_forward}},
    {.name = "scatter of a value",
     .shapes = {{4, 6}},
     .op =
         [](const auto& x) {
           return scatter(x[0], 0, indices(x[0], {2, 6}, 4), 1.5);
         },
     .slots = {&kernels::scatter_forward, &kernels::gather_forward}},
    {.name = "scatter_add",
     .shapes = {{4, 3}, {9, 3}},
     .op =
         [](const auto& x) {
           return scatter_add(x[0], 0, indices(x[0], {8, 3}, 4), x[1]);
         },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "take_along_dim",
     .shapes = {{3, 1, 5}},
     .op =
         [](const auto& x) {
           return take_along_dim(x[0], indices(x[0], {1, 4, 2}, 5), 2);
         },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "index_select rows",
     .shapes = {{5, 19}},
     .op = [](const auto& x) { return index_select(x[0], 0, indices(x[0], {7}, 5)); },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "index_select channels",
     .shapes = {{2, 4, 3, 3}},
     .op = [](const auto& x) { return index_select(x[0], 1, indices(x[0], {3}, 4)); },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "index_add",
     .shapes = {{5, 4}, {7, 4}},
     .op = [](const auto& x) { return index_add(x[0], 0, indices(x[0], {7}, 5), x[1]); },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "index_put",
     .shapes = {{4, 3, 5}, {2, 5}},
     .op =
         [](const auto& x) {
           return index_put(x[0], {tensor({3, -4}, DType::i64).to(x[0].device()), tensor({0, 2}, DType::i64).to(x[0].device())}, x[1]);
         },
     .slots = {&kernels::scatter_forward, &kernels::gather_forward}},
    {.name = "index_put behind a whole dimension",
     .shapes = {{3, 4, 2}, {2, 1}},
     .op =
         [](const auto& x) {
           return index_put(x[0], {Tensor(), tensor({3, 1}, DType::i64).to(x[0].device())}, x[1]);
         },
     .slots = {&kernels::scatter_forward, &kernels::gather_forward},
     .amplification = 4},
    {.name = "index_put accumulated",
     .shapes = {{4, 5}, {7, 5}},
     .op = [](const auto& x) { return index_put(x[0], {indices(x[0], {7}, 4)}, x[1], true); },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "index_put by a mask",
     .shapes = {{3, 4}, {}},
     .op =
         [](const auto& x) {
           return index_put(x[0], {tensor({1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0}, {3, 4}, DType::boolean).to(x[0].device())}, x[1]);
         },
     .slots = {&kernels::scatter_forward, &kernels::gather_forward, &kernels::nonzero_forward},
     .amplification = 8},
    {.name = "masked_select",
     .shapes = {{3, 4}},
     .op =
         [](const auto& x) {
           return masked_select(x[0], tensor({1, 0, 1, 1}, {4}, DType::boolean).to(x[0].device()));
         },
     .slots = {&kernels::gather_forward, &kernels::scatter_add_forward, &kernels::nonzero_forward}},
    {.name = "nonzero",
     .shapes = {{3, 4}},
     .op = [](const auto& x) { return nonzero(relu(x[0])); },
     .slots = {&kernels::nonzero_forward},
     .flat = true},
    {.name = "nonzero of many pieces",
     .shapes = {{5, 1001}},
     .op = [](const auto& x) { return nonzero(relu(x[0])); },
     .slots = {&kernels::nonzero_forward},
     .flat = true},
    {.name = "one_hot",
     .shapes = {},
     .op =
         [](const auto&) {
           return one_hot(indices({}, {2, 3}, 5), 6);
         },
     .slots = {&kernels::scatter_forward},
     .flat = true},
    {.name = "bincount",
     .shapes = {{11}},
     .op = [](const auto& x) { return bincount(indices(x[0], {11}, 4), x[0], 6); },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "embedding",
     .shapes = {{6, 5}},
     .op =
         [](const auto& x) {
           return embedding(indices(x[0], {2, 4}, 6), x[0]);
         },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "embedding with padding",
     .shapes = {{7, 5}},
     .op =
         [](const auto& x) {
           return embedding(indices(x[0], {2, 4}, 6), x[0], {.padding_idx = 6});
         },
     .slots = gather_slots,
     .amplification = 4},
    {.name = "index_select many rows",
     .shapes = {{10000, 256}},
     .op = [](const auto& x) { return index_select(x[0], 0, indices(x[0], {10000}, 10000)); },
     .slots = {&kernels::gather_forward},
     .bench = true},
    {.name = "gather_backward of 2000 rows",
     .shapes = {{2000, 64}},
     .op =
         [](const auto& x) {
           return gather_backward(x[0], 0, expand(indices(x[0], {2000, 1}, 1000), {2000, 64}), {1000, 64});
         },
     .slots = {&kernels::scatter_add_forward},
     .bench = true},
    {.name = "gather_backward of many rows",
     .shapes = {{100000, 64}},
     .op =
         [](const auto& x) {
           return gather_backward(x[0], 0, expand(indices(x[0], {100000, 1}, 1000), {100000, 64}), {1000, 64});
         },
     .slots = {&kernels::scatter_add_forward},
     .bench = true},
};

}  // namespace tapetum::test
