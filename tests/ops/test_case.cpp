// The checks of a case row, checked: what they are there to find, they find.
#include <catch2/catch.hpp>

#include "kernels/allocator.h"
#include "kernels/elementwise.h"
#include "tests/ops/case.h"

namespace tapetum::test {

TEST_CASE("case rows: a result written past its end by one element is noticed", "[!shouldfail]") {
  if (kernels::allocations_are_exact()) FAIL("skipped: allocations are exact, and the sanitizer would end the program");
  check_candidates({.name = "overrun",
                    .shapes = {{3, 5}},
                    .op =
                        [](const auto& x) {
                          Tensor y = neg(x[0]);
                          static_cast<char*>(y.mutable_raw())[static_cast<size_t>(y.numel()) * size_of(y.dtype())] ^= 1;
                          return y;
                        },
                    .slots = {&kernels::neg_forward},
                    .flat = true});
}

TEST_CASE("case rows: a sample that is wrong in f32 by a part in ten thousand is noticed", "[!shouldfail]") {
  check_sample({.name = "inexact",
                .shapes = {{3, 5}},
                .op = [](const auto& x) { return neg(x[0]) * (x[0].dtype() == DType::f32 ? 1.0001 : 1); },
                .slots = {&kernels::neg_forward}},
               0);
}

}  // namespace tapetum::test
