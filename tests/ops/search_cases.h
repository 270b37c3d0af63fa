#pragma once
#include "kernels/search.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline Case search_case(const char* name, const std::vector<Shape>& shapes, const Op& op) {
  return {.name = name, .shapes = shapes, .op = op, .slots = {&kernels::search_sorted}, .flat = true};
}

inline const std::vector<Case> search_cases = {
    search_case("searchsorted", {{11}, {3, 7}}, [](const auto& x) { return searchsorted(sort(x[0]).values, x[1]); }),
    search_case("searchsorted equal values", {{11}, {}},
                [](const auto& x) {
                  const Tensor sorted = sort(x[0]).values;
                  return cat({searchsorted(sorted, x[0]), searchsorted(sorted, x[0], {.right = true})});
                }),
    search_case("searchsorted lines", {{2, 3, 9}, {2, 3, 5}}, [](const auto& x) { return searchsorted(sort(x[0]).values, x[1], {.right = true}); }),
    search_case("searchsorted sorter", {{3, 9}, {3, 5}}, [](const auto& x) { return searchsorted(x[0], x[1], {.sorter = argsort(x[0])}); }),
    search_case("searchsorted no elements", {{0}, {4}}, [](const auto& x) { return searchsorted(x[0], x[1]); }),
    search_case("bucketize", {{2, 5}, {6}}, [](const auto& x) { return bucketize(x[0], sort(x[1]).values, true); }),
};

}  // namespace tapetum::test
