#pragma once
#include "kernels/sort.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> sort_slots = {&kernels::topk_forward};

inline const std::vector<Case> sort_cases = {
    {.name = "sort last", .shapes = {{4, 37}}, .op = [](const auto& x) { return sort(x[0]).values; }, .slots = sort_slots},
    {.name = "sort channels, descending",
     .shapes = {{2, 5, 3, 3}},
     .op = [](const auto& x) { return sort(x[0], 1, {.descending = true}).values; },
     .slots = sort_slots},
    {.name = "sort scalar", .shapes = {{}}, .op = [](const auto& x) { return sort(x[0]).values; }, .slots = sort_slots},
    {.name = "sort no lines", .shapes = {{3, 0}}, .op = [](const auto& x) { return sort(x[0]).values; }, .slots = sort_slots},
    {.name = "argsort", .shapes = {{70, 5}}, .op = [](const auto& x) { return argsort(x[0], 0); }, .slots = sort_slots, .flat = true},
    {.name = "argsort descending",
     .shapes = {{4, 9}},
     .op = [](const auto& x) { return argsort(x[0], 1, {.descending = true}); },
     .slots = sort_slots,
     .flat = true},
    {.name = "topk", .shapes = {{3, 20}}, .op = [](const auto& x) { return topk(x[0], 4).values; }, .slots = sort_slots},
    {.name = "topk least, first dimension",
     .shapes = {{9, 2, 3}},
     .op = [](const auto& x) { return topk(x[0], 3, 0, {.largest = false}).values; },
     .slots = sort_slots},
    {.name = "topk none", .shapes = {{3, 4}}, .op = [](const auto& x) { return topk(x[0], 0).indices; }, .slots = sort_slots, .flat = true},
    {.name = "sort in runs", .shapes = {{1, 1100}}, .op = [](const auto& x) { return sort(x[0]).values; }, .slots = sort_slots},
    {.name = "sort long lines", .shapes = {{64, 4096}}, .op = [](const auto& x) { return sort(x[0]).values; }, .slots = sort_slots, .bench = true},
    {.name = "topk of many lines",
     .shapes = {{1000, 1000}},
     .op = [](const auto& x) { return topk(x[0], 5).values; },
     .slots = sort_slots,
     .bench = true},
};

}  // namespace tapetum::test
