#pragma once
#include "kernels/matmul.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline Case cdist_case(const char* name, const std::vector<Shape>& shapes, const CdistOptions& options) {
  return {.name = name, .shapes = shapes, .op = [=](const auto& x) { return cdist(x[0], x[1], options); }, .slots = {}};
}

inline const std::vector<Case> distance_cases = {
    cdist_case("cdist", {{3, 5}, {4, 5}}, {}),
    cdist_case("cdist batch", {{2, 3, 5}, {1, 4, 5}}, {.p = 1}),
    cdist_case("cdist p = 3", {{3, 5}, {4, 5}}, {.p = 3}),
    cdist_case("cdist greatest", {{3, 5}, {4, 5}}, {.p = std::numeric_limits<double>::infinity()}),
    {.name = "cdist by product",
     .shapes = {{3, 5}, {4, 5}},
     .op = [](const auto& x) { return cdist(x[0], x[1], {.compute_mode = CdistMode::product}); },
     .slots = {&kernels::matmul_forward},
     .constant_lines = false,
     .amplification = 64},
    {.name = "pairwise_distance", .shapes = {{3, 5}, {3, 5}}, .op = [](const auto& x) { return pairwise_distance(x[0], x[1]); }, .slots = {}},
    {.name = "pairwise_distance options",
     .shapes = {{3, 5}, {5}},
     .op = [](const auto& x) { return pairwise_distance(x[0], x[1], {.p = 1, .eps = 0.1, .keepdim = true}); },
     .slots = {}},
};

}  // namespace tapetum::test
