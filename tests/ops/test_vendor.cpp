#if defined(TAPETUM_WITH_CUDA)
#include "tests/ops/vendor.h"

#include <catch2/catch.hpp>
#include <algorithm>
#include <cstdio>

#include "kernels/vendor/plans.cuh"
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

TEST_CASE("vendor: the 256 plans last used are kept") {
  kernels::PlanCache<int64_t, int64_t> cache;
  int made = 0;
  const auto find = [&](int64_t key) {
    return cache.find(key, [&] { return ++made, key < 0 ? nullptr : std::make_shared<const int64_t>(10 * key); });
  };
  for (int64_t key = 0; key < 256; ++key) REQUIRE(*find(key) == 10 * key);
  REQUIRE(*find(0) == 0);  // now the last used
  REQUIRE(made == 256);
  REQUIRE(find(-1) == nullptr);  // what cannot be done is kept as well, in the place of 1
  REQUIRE(find(-1) == nullptr);
  REQUIRE(*find(0) == 0);
  REQUIRE(made == 257);
  REQUIRE(*find(1) == 10);
  REQUIRE(made == 258);
}

TEST_CASE("vendor: cuBLAS matches the reference", "[emulated]") { check_those_of(matmul_cases); }
TEST_CASE("vendor: cuDNN's convolutions match the reference", "[emulated]") { check_those_of(conv_cases); }
TEST_CASE("vendor: cuDNN's attention matches the reference", "[emulated]") { check_those_of(attention_cases); }
TEST_CASE("vendor: CUB matches the reference", "[emulated]") { check_those_of(sort_cases); }

}  // namespace tapetum::test
#endif
