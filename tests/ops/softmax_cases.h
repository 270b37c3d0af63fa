#pragma once
#include "kernels/softmax.h"
#include "tests/ops/case.h"

namespace tapetum::test {

inline const std::vector<const kernels::SlotBase*> softmax_slots = {&kernels::softmax_forward, &kernels::softmax_backward};
inline const std::vector<const kernels::SlotBase*> log_softmax_slots = {&kernels::log_softmax_forward, &kernels::log_softmax_backward};

inline const std::vector<Case> softmax_cases = {
    {.name = "softmax long lines",
     .shapes = {{4, 67}},
     .op = [](const auto& x) { return softmax(x[0], -1); },
     .slots = softmax_slots,
     .constant_lines = false},
    {.name = "softmax channels", .shapes = {{2, 5, 3, 3}}, .op = [](const auto& x) { return softmax(x[0], 1); }, .slots = softmax_slots},
    {.name = "softmax two classes", .shapes = {{1, 2, 7, 11}}, .op = [](const auto& x) { return softmax(x[0], 1); }, .slots = softmax_slots},
    {.name = "softmax outermost", .shapes = {{5, 3, 4}}, .op = [](const auto& x) { return softmax(x[0], -3); }, .slots = softmax_slots},
    {.name = "softmax one class", .shapes = {{3, 1}}, .op = [](const auto& x) { return softmax(x[0], 1); }, .slots = softmax_slots, .flat = true},
    {.name = "softmax scalar", .shapes = {{}}, .op = [](const auto& x) { return softmax(x[0], 0); }, .slots = softmax_slots, .flat = true},
    {.name = "softmax wide range",
     .shapes = {{3, 20}},
     .op = [](const auto& x) { return softmax(x[0], 1); },
     .slots = softmax_slots,
     .low = -300,
     .high = 300,
     .flat = true},
    {.name = "softmax no rows", .shapes = {{0, 4}}, .op = [](const auto& x) { return softmax(x[0], 1); }, .slots = softmax_slots},
    {.name = "softmax no classes", .shapes = {{4, 0, 3}}, .op = [](const auto& x) { return softmax(x[0], 1); }, .slots = softmax_slots},
    {.name = "log_softmax long lines",
     .shapes = {{4, 67}},
     .op = [](const auto& x) { return log_softmax(x[0], -1); },
     .slots = log_softmax_slots,
     .constant_lines = false},
    {.name = "log_softmax channels", .shapes = {{2, 5, 3, 3}}, .op = [](const auto& x) { return log_softmax(x[0], 1); }, .slots = log_softmax_slots},
    {.name = "log_softmax wide range",
     .shapes = {{3, 20}},
     .op = [](const auto& x) { return log_softmax(x[0], 1); },
     .slots = log_softmax_slots,
     .low = -300,
     .high = 300,
     .flat = true},
    {.name = "log_softmax scalar",
     .shapes = {{}},
     .op = [](const auto& x) { return log_softmax(x[0], -1); },
     .slots = log_softmax_slots,
     .flat = true},
    {.name = "log_softmax no rows", .shapes = {{0, 4}}, .op = [](const auto& x) { return log_softmax(x[0], 1); }, .slots = log_softmax_slots},
    {.name = "softmax_backward",
     .shapes = {{3, 6}, {3, 6}},
     .op = [](const auto& x) { return softmax_backward(x[0], x[1], 1); },
     .slots = {&kernels::softmax_backward},
     .amplification = 8},
    {.name = "log_softmax_backward",
     .shapes = {{3, 6}, {3, 6}},
     .op = [](const auto& x) { return log_softmax_backward(x[0], x[1], 0); },
     .slots = {&kernels::log_softmax_backward},
     .amplification = 8},
    {.name = "softmax large", .shapes = {{64, 1000}}, .op = [](const auto& x) { return softmax(x[0], 1); }, .slots = softmax_slots, .bench = true},
    {.name = "log_softmax of 21 classes",
     .shapes = {{2, 21, 256, 256}},
     .op = [](const auto& x) { return log_softmax(x[0], 1); },
     .slots = log_softmax_slots,
     .bench = true},
};

}  // namespace tapetum::test
