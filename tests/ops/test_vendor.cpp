#if defined(TAPETUM_WITH_CUDA)
#include "tests/ops/vendor.h"

#include <catch2/catch.hpp>
#include <algorithm>
#include <cstdio>

#include "tests/ops/attention_cases.h"
#include "tests/ops/conv_cases.h"
#include "tests/ops/matmul_cases.h"
#include "tests/ops/sort_cases.h"

namespace tapetum::test {
namespace {

template <class Rows> void check_those_of(const Rows& rows) {
  if (std::none_of(rows.begin(), rows.end(), has_vendor)) std::puts("skipped: this build has none of NVIDIA's libraries");
  check_all(rows, check_vendor);
}

}  // namespace

TEST_CASE("vendor: cuBLAS matches the reference", "[emulated]") { check_those_of(matmul_cases); }
TEST_CASE("vendor: cuDNN's convolutions match the reference", "[emulated]") { check_those_of(conv_cases); }
TEST_CASE("vendor: cuDNN's attention matches the reference", "[emulated]") { check_those_of(attention_cases); }
TEST_CASE("vendor: CUB matches the reference", "[emulated]") { check_those_of(sort_cases); }

}  // namespace tapetum::test
#endif
