#pragma once
#include "kernels/attention.h"
#include "tests/ops/case.h"

namespace tapetum::test {

// Rows whose constant lines are left out: scores of 64 equal products are too large, and where all keys are equal q has no gradient.
inline const std::vector<const kernels::SlotBase*> attention_slots = {&kernels::attention_forward, &kernels::attention_backward};

// A bool mask without visible pattern, of about three quarters true, where x lives.
inline Tensor scattered_mask(const Shape& shape, const Tensor& x) {
  return to(reshape(sin(arange(shape.numel(), DType::f64) * 7.3) > -0.7, shape), x.device());
}
// The same as numbers to add: quarters between -2 and 2, which every type holds, or -infinity.
inline Tensor scattered_bias(const Shape& shape, const Tensor& x) {
  const Tensor bias = reshape(round(cos(arange(shape.numel(), DType::f64) * 3.1) * 8.0) / 4.0, shape);
  return to(to(masked_fill(bias, bias < -1.7, -std::numeric_limits<double>::infinity()), x.dtype()), x.device());
}

inline const std::vector<Case>
    attention_cases =
        {
            {.name = "scaled_dot_product_attention of matrices",
             .shapes = {{7, 5}, {7, 5}, {7, 5}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of heads",
             .shapes = {{2, 3, 9, 4}, {2, 3, 11, 4}, {2, 3, 11, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of narrow values, scaled",
             .shapes = {{2, 5, 6}, {2, 7, 6}, {2, 7, 3}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.scale = 0.3}); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of wide values",
             .shapes = {{3, 5, 2}, {3, 4, 2}, {3, 4, 30}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of broadcast keys",
             .shapes = {{3, 2, 5, 4}, {2, 6, 4}, {3, 1, 6, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of five dimensions, masked",
             .shapes = {{2, 2, 2, 5, 3}, {2, 2, 2, 6, 3}, {2, 2, 2, 6, 3}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_mask({2, 1, 1, 5, 6}, x[0])});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention causal",
             .shapes = {{2, 9, 4}, {2, 9, 4}, {2, 9, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention causal, more keys",
             .shapes = {{2, 5, 4}, {2, 12, 4}, {2, 12, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention causal, more queries, masked",
             .shapes = {{2, 12, 4}, {2, 5, 4}, {2, 5, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_mask({5}, x[0]), .causal = true}); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention masked",
             .shapes = {{2, 2, 6, 4}, {2, 2, 7, 4}, {2, 2, 7, 4}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_mask({2, 2, 6, 7}, x[0])});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention, keys masked",
             .shapes = {{2, 2, 6, 4}, {2, 2, 7, 4}, {2, 2, 7, 4}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_mask({2, 1, 1, 7}, x[0])});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention, queries masked",
             .shapes = {{2, 2, 6, 4}, {2, 2, 7, 4}, {2, 2, 7, 4}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_mask({6, 1}, x[0])});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention, biased",
             .shapes = {{2, 2, 6, 4}, {2, 2, 7, 4}, {2, 2, 7, 4}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_bias({2, 6, 7}, x[0])});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention, biased by columns of a transpose",
             .shapes = {{2, 6, 4}, {2, 7, 4}, {2, 7, 4}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = transpose(scattered_bias({7, 6}, x[0]), 0, 1), .causal = true});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention, bias learnt",
             .shapes = {{2, 4, 3}, {2, 5, 3}, {2, 5, 3}, {4, 5}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3], .causal = true}); },
             .slots = {}},
            {.name = "scaled_dot_product_attention with dropout",
             .shapes = {{2, 2, 6, 4}, {2, 2, 7, 4}, {2, 2, 7, 4}},
             .op =
                 [](const auto& x) {
                   manual_seed(5);
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.dropout = 0.3});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention with dropout, biased and causal",
             .shapes = {{3, 9, 4}, {3, 9, 4}, {3, 9, 4}},
             .op =
                 [](const auto& x) {
                   manual_seed(6);
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_bias({9, 9}, x[0]), .dropout = 0.5, .causal = true});
                 },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of width 1",
             .shapes = {{2, 1, 33, 1}, {2, 1, 31, 1}, {2, 1, 31, 1}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of width 40",
             .shapes = {{1, 2, 35, 40}, {1, 2, 37, 40}, {1, 2, 37, 40}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of width 64",
             .shapes = {{1, 2, 65, 64}, {1, 2, 70, 64}, {1, 2, 70, 64}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of width 80, biased",
             .shapes = {{2, 33, 80}, {2, 17, 80}, {2, 17, 80}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_bias({33, 17}, x[0])});
                 },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of width 128",
             .shapes = {{1, 67, 128}, {1, 66, 128}, {1, 66, 128}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of width 256",
             .shapes = {{1, 19, 256}, {1, 41, 256}, {1, 41, 256}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of width 301",
             .shapes = {{1, 9, 301}, {1, 10, 301}, {1, 10, 301}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of several blocks",
             .shapes = {{1, 203, 8}, {1, 531, 8}, {1, 531, 8}},
             .op =
                 [](const auto& x) {
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = scattered_mask({203, 531}, x[0])});
                 },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of several blocks, causal",
             .shapes = {{1, 610, 8}, {1, 550, 8}, {1, 550, 8}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of nine heads, several blocks",
             .shapes = {{9, 20, 8}, {9, 300, 8}, {9, 300, 8}},
             .op =
                 [](const auto& x) {
                   manual_seed(7);
                   return scaled_dot_product_attention(x[0], x[1], x[2], {.dropout = 0.1});
                 },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention of broadcast keys, several blocks",
             .shapes = {{3, 2, 150, 16}, {2, 270, 16}, {3, 1, 270, 16}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); },
             .slots = attention_slots,
             .constant_lines = false},
            {.name = "scaled_dot_product_attention without queries",
             .shapes = {{2, 0, 4}, {2, 3, 4}, {2, 3, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention without keys",
             .shapes = {{2, 3, 4}, {2, 0, 4}, {2, 0, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention without heads",
             .shapes = {{2, 0, 3, 4}, {2, 0, 3, 4}, {2, 0, 3, 4}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of width 0",
             .shapes = {{2, 3, 0}, {2, 4, 0}, {2, 4, 5}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots},
            {.name = "scaled_dot_product_attention of two heads over patches",
             .shapes = {{1, 2, 197, 64}, {1, 2, 197, 64}, {1, 2, 197, 64}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots,
             .bench = true,
             .flops = 4.0 * 2 * 197 * 197 * 64},
            {.name = "scaled_dot_product_attention of an image in patches",
             .shapes = {{1, 12, 197, 64}, {1, 12, 197, 64}, {1, 12, 197, 64}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); },
             .slots = attention_slots,
             .bench = true,
             .flops = 4.0 * 12 * 197 * 197 * 64},
            {.name = "scaled_dot_product_attention of 2048 tokens, causal",
             .shapes = {{1, 4, 2048, 64}, {1, 4, 2048, 64}, {1, 4, 2048, 64}},
             .op = [](const auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); },
             .slots = attention_slots,
             .bench = true,
             .flops = 2.0 * 4 * 2048 * 2048 * 64},
};

}  // namespace tapetum::test
