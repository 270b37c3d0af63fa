// Whole numbers that are rounded up. (Always inlined: a copy shared by the linker would carry one unit's instruction set.)
#pragma once
#include <cstdint>

namespace tapetum::kernels {

[[gnu::always_inline]] constexpr int64_t ceil_div(int64_t n, int64_t d) { return (n + d - 1) / d; }
[[gnu::always_inline]] constexpr int64_t round_up(int64_t n, int64_t step) { return ceil_div(n, step) * step; }

}  // namespace tapetum::kernels
