#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include "kernels/parallel.h"

namespace tapetum::kernels {

TEST_CASE("parallel: every unit runs once, nested calls included") {
  std::vector<std::atomic<int>> runs(64 * 64);
  parallel_for(64, [&](int64_t i) { parallel_for(64, [&](int64_t j) { ++runs[static_cast<size_t>(i * 64 + j)]; }); });
  for (auto& r : runs) REQUIRE(r == 1);
}

TEST_CASE("parallel: several callers at once, while the number of threads changes") {
  const int before = thread_count();
  std::atomic<int64_t> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&, c] {
      for (int i = 0; i < 200; ++i) {
        if (c == 0) set_thread_count(1 + i % 4);
        parallel_for(10, [&](int64_t u) { total += u; });
      }
    });
  for (auto& t : callers) t.join();
  set_thread_count(before);
  REQUIRE(total == 4 * 200 * 45);
}

TEST_CASE("parallel: eight callers at once, each gets its own units, and nested ones, once") {
  constexpr int kCallers = 8, kUnits = 40, kRounds = 100;
  const int before = thread_count();
  set_thread_count(3);
  std::vector<int64_t> sums(kCallers);
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c)
    callers.emplace_back([&, c] {
      for (int round = 0; round < kRounds; ++round) {
        std::vector<int64_t> units(kUnits);  // whoever writes to another caller's, or twice, changes a sum
        parallel_for(kUnits, [&](int64_t i) {
          std::vector<int64_t> inner(4);
          parallel_for(4, [&](int64_t j) { inner[static_cast<size_t>(j)] += c + 1; });
          for (const int64_t n : inner) units[static_cast<size_t>(i)] += n;
        });
        for (const int64_t n : units) sums[static_cast<size_t>(c)] += n;
      }
    });
  for (auto& t : callers) t.join();
  set_thread_count(before);
  for (int c = 0; c < kCallers; ++c) REQUIRE(sums[static_cast<size_t>(c)] == (c + 1) * 4 * kUnits * kRounds);
}

TEST_CASE("parallel: ranges cover everything") {
  std::atomic<int64_t> covered{0};
  parallel_ranges(1001, 100, [&](int64_t begin, int64_t end) { covered += end - begin; });
  REQUIRE(covered == 1001);
  parallel_ranges(0, 100, [&](int64_t, int64_t) { REQUIRE(false); });
}

}  // namespace tapetum::kernels
