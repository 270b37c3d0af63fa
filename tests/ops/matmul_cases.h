#pragma once
#include "core/ops/launch.h"
#include "core/ops/promotion.h"
#include "kernels/matmul.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline Case matmul_row(const char* name, std::vector<Shape> shapes) {
  return {.name = name, .shapes = std::move(shapes), .op = [](const auto& x) { return matmul(x[0], x[1]); }, .slots = {&kernels::matmul_forward}};
}
inline Case linear_row(const char* name, std::vector<Shape> shapes) {
  return {.name = name,
          .shapes = std::move(shapes),
          .op = [](const auto& x) { return linear(x[0], x[1], x.size() > 2 ? x[2] : Tensor()); },
          .slots = {&kernels::matmul_forward}};
}
// What the slot takes and no op asks for: a batch with a bias, into every other column of a larger matrix.
inline Tensor multiply_into_columns(const Tensor& a, const Tensor& b, const Tensor& bias) {
  check_floating("matmul", a);
  if (const DType t = kernel_type(a); t != a.dtype()) return to(multiply_into_columns(to(a, t), to(b, t), to(bias, t)), a.dtype());
  const int64_t count = a.size(0), m = a.size(1), n = b.size(2);
  Tensor y = empty({count, m, n, 2}, a.dtype(), a.device());
  const Shape sa{a.strides()[0]}, sb{b.strides()[0]}, sy{y.strides()[0]};
  const Tensor dense = contiguous(bias);
  const kernels::MatmulShape shape{.batch = strided<3>({count}, {&sa, &sb, &sy}),
                                   .m = m,
                                   .n = n,
                                   .k = a.size(2),
                                   .a = {a.strides()[1], a.strides()[2]},
                                   .b = {b.strides()[1], b.strides()[2]},
                                   .c = {y.strides()[1], y.strides()[2]},
                                   .dtype = a.dtype()};
  launch(kernels::matmul_forward, a.device(), a.dtype(), kernels::MatmulArgs{shape, a.raw(), b.raw(), y.mutable_raw(), dense.raw()});
  return select(y, 3, 0);
}
inline Case timed(Case row, double flops) {
  row.low = -1, row.high = 1, row.flops = flops;
  row.bench = true;
  return row;
}

inline const std::vector<Case> matmul_cases = {
    matmul_row("matmul", {{5, 7}, {7, 3}}),
    matmul_row("matmul several tiles", {{13, 20}, {20, 35}}),
    matmul_row("matmul several blocks and passes", {{150, 300}, {300, 200}}),
    matmul_row("matmul one row", {{1, 70}, {70, 40}}),
    matmul_row("matmul one column", {{40, 70}, {70, 1}}),
    matmul_row("matmul few rows", {{7, 83}, {83, 300}}),
    matmul_row("matmul few columns", {{301, 83}, {83, 3}}),
    matmul_row("matmul in parts of the depth", {{21, 5000}, {5000, 34}}),
    matmul_row("matmul batch", {{3, 4, 5}, {3, 5, 6}}),
    matmul_row("matmul large batch", {{32, 130, 20}, {32, 20, 140}}),
    matmul_row("matmul batch broadcast", {{2, 1, 4, 3}, {3, 3, 5}}),
    matmul_row("matmul one matrix times a batch", {{4, 3}, {2, 3, 5}}),
    matmul_row("matmul a batch times one matrix", {{2, 3, 4, 5}, {5, 2}}),
    matmul_row("matmul vectors", {{6}, {6}}),
    matmul_row("matmul vector times batch", {{4}, {2, 4, 3}}),
    matmul_row("matmul batch times vector", {{2, 3, 4}, {4}}),
    matmul_row("matmul depth 0", {{2, 0}, {0, 3}}),
    matmul_row("matmul no rows", {{0, 4}, {4, 3}}),
    matmul_row("matmul no matrices", {{0, 2, 4}, {0, 4, 3}}),
    matmul_row("matmul in chunks", {{72, 96}, {96, 40}}),
    matmul_row("matmul around a ring of stages", {{40, 328}, {328, 72}}),
    matmul_row("matmul of long sums", {{24, 1096}, {1096, 40}}),
    matmul_row("matmul batch in chunks", {{3, 70, 72}, {3, 72, 136}}),
    matmul_row("matmul batch of long sums", {{2, 16, 1096}, {2, 1096, 24}}),
    {.name = "matmul of many large tiles",
     .shapes = {{16, 136, 72}, {16, 72, 136}},
     .op = [](const auto& x) { return matmul(x[0], x[1]); },
     .slots = {&kernels::matmul_forward},
     .flat = true},
    {.name = "matmul of more tiles than multiprocessors",
     .shapes = {{300, 264}, {264, 520}},
     .op = [](const auto& x) { return matmul(x[0], x[1]); },
     .slots = {&kernels::matmul_forward},
     .flat = true,
     .constant_lines = false},
    {.name = "matmul of matrices within larger ones",
     .shapes = {{37, 64}, {64, 24}},
     .op = [](const auto& x) { return matmul(slice(x[0], 1, 0, 61), slice(slice(x[1], 0, 0, 61), 1, 0, 21)); },
     .slots = {&kernels::matmul_forward}},
    matmul_row("matmul one matrix times a batch in chunks", {{24, 72}, {3, 72, 40}}),
    matmul_row("matmul a batch times one matrix in chunks", {{3, 24, 72}, {1, 72, 40}}),
    {.name = "matmul batch of odd matrices within larger ones",
     .shapes = {{3, 131, 72}, {3, 72, 264}},
     .op = [](const auto& x) { return matmul(slice(x[0], 2, 0, 69), slice(slice(x[1], 1, 0, 69), 2, 0, 261)); },
     .slots = {&kernels::matmul_forward},
     .flat = true},
    {.name = "matmul batch of odd transposed matrices within larger ones",
     .shapes = {{2, 69, 136}, {2, 261, 72}},
     .op = [](const auto& x) { return matmul(transpose(slice(x[0], 2, 0, 131), 1, 2), transpose(slice(x[1], 2, 0, 69), 1, 2)); },
     .slots = {&kernels::matmul_forward},
     .flat = true},
    {.name = "matmul batch with bias into columns of a larger matrix",
     .shapes = {{3, 131, 72}, {3, 72, 264}, {264}},
     .op = [](const auto& x) { return multiply_into_columns(x[0], x[1], x[2]); },
     .slots = {&kernels::matmul_forward},
     .flat = true},
    {.name = "matmul one element after a chunk",
     .shapes = {{40, 64}, {48, 24}},
     .op = [](const auto& x) { return matmul(slice(x[0], 1, 1, 49), x[1]); },
     .slots = {&kernels::matmul_forward}},
    {.name = "matmul transposed in chunks",
     .shapes = {{2, 72, 40}, {2, 56, 72}},
     .op = [](const auto& x) { return matmul(transpose(x[0], 1, 2), transpose(x[1], 1, 2)); },
     .slots = {&kernels::matmul_forward}},
    {.name = "matmul transposed",
     .shapes = {{7, 5}, {3, 7}},
     .op = [](const auto& x) { return matmul(transpose(x[0], 0, 1), transpose(x[1], 0, 1)); },
     .slots = {&kernels::matmul_forward}},
    {.name = "matmul of heads",
     .shapes = {{2, 5, 3, 4}, {2, 6, 3, 4}},
     .op =
         [](const auto& x) {
           return matmul(permute(x[0], {0, 2, 1, 3}), permute(x[1], {0, 2, 3, 1}));
         },
     .slots = {&kernels::matmul_forward}},
    {.name = "bmm", .shapes = {{2, 3, 4}, {2, 4, 2}}, .op = [](const auto& x) { return bmm(x[0], x[1]); }, .slots = {&kernels::matmul_forward}},
    {.name = "outer", .shapes = {{3}, {4}}, .op = [](const auto& x) { return outer(x[0], x[1]); }, .slots = {}},
    linear_row("linear", {{4, 6}, {3, 6}, {3}}),
    linear_row("linear of many rows", {{40, 6}, {19, 6}, {19}}),
    linear_row("linear in chunks", {{30, 72}, {41, 72}, {41}}),
    linear_row("linear of long sums", {{8, 1096}, {24, 1096}, {24}}),
    linear_row("linear without bias", {{2, 6}, {3, 6}}),
    linear_row("linear of one vector", {{6}, {3, 6}, {3}}),
    linear_row("linear of tokens", {{2, 3, 6}, {5, 6}, {5}}),
    timed(matmul_row("matmul 256", {{256, 256}, {256, 256}}), 2.0 * 256 * 256 * 256),
    timed(matmul_row("matmul 512", {{512, 512}, {512, 512}}), 2.0 * 512 * 512 * 512),
    timed(linear_row("linear 1x2048x1000", {{1, 2048}, {1000, 2048}, {1000}}), 2.0 * 2048 * 1000),
    timed(linear_row("linear 392x384x1536", {{392, 384}, {1536, 384}, {1536}}), 2.0 * 392 * 384 * 1536),
};

}  // namespace tapetum::test
