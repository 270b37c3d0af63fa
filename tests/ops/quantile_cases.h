#pragma once
#include "kernels/index.h"
#include "kernels/sort.h"
#include "tests/ops/case.h"

namespace tapetum::test {

// Ties would let candidates pick different elements of one value: rows have none.
inline Case order_case(const char* name, const Shape& shape, const Op& op) {
  return {.name = name,
          .shapes = {shape},
          .op = op,
          .slots = {&kernels::topk_forward, &kernels::gather_forward},
          .constant_lines = false,
          .amplification = 4};
}

inline const std::vector<Case> quantile_cases = {
    order_case("quantile", {3, 7}, [](const auto& x) { return quantile(x[0], 0.3, {.dim = 1}); }),
    order_case("quantile of all", {3, 5}, [](const auto& x) { return quantile(x[0], 0.77); }),
    order_case("quantile of several", {4, 3, 6},
               [](const auto& x) {
                 const Tensor q = to(to(tensor({0, 0.4, 0.55, 1}), x[0].dtype()), x[0].device());
                 return quantile(x[0], q, {.dim = -2, .keepdim = true});
               }),
    order_case("quantile lower", {3, 7},
               [](const auto& x) { return quantile(x[0], 0.3, {.dim = 1, .interpolation = QuantileInterpolation::lower}); }),
    order_case("quantile higher", {3, 7},
               [](const auto& x) { return quantile(x[0], 0.3, {.dim = 0, .interpolation = QuantileInterpolation::higher}); }),
    order_case("quantile nearest", {3, 7},
               [](const auto& x) { return quantile(x[0], 0.3, {.dim = 1, .interpolation = QuantileInterpolation::nearest}); }),
    order_case("quantile midpoint", {3, 7},
               [](const auto& x) { return quantile(x[0], 0.3, {.dim = 1, .interpolation = QuantileInterpolation::midpoint}); }),
    order_case("nanquantile", {3, 7}, [](const auto& x) { return nanquantile(x[0], 0.6, {.dim = 1, .keepdim = true}); }),
    order_case("median", {3, 6}, [](const auto& x) { return median(x[0], 1).values; }),
    order_case("median of all", {3, 5}, [](const auto& x) { return median(x[0]); }),
    order_case("nanmedian", {5, 3}, [](const auto& x) { return nanmedian(x[0], 0, true).values; }),
    order_case("nanmedian of all", {3, 5}, [](const auto& x) { return nanmedian(x[0]); }),
};

}  // namespace tapetum::test
