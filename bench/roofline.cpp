#include "bench/roofline.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "kernels/parallel.h"

namespace {

using Clock = std::chrono::steady_clock;
typedef float Lanes __attribute__((vector_size(32)));

// The best of some runs of f on every thread at once, in seconds.
template <class F> double best_seconds(F f) {
  double best = 1e9;
  for (int run = 0; run < 5; ++run) {
    const auto start = Clock::now();
    std::vector<std::thread> threads;
    for (int t = 0; t < tapetum::kernels::thread_count(); ++t) threads.emplace_back(f, t);
    for (auto& thread : threads) thread.join();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

// Twelve independent chains: latency times throughput of a fused multiply-add on current machines is at most ten.
void multiply_add(int64_t rounds) {
  Lanes chain[12] = {};
  for (int64_t i = 0; i < rounds; ++i)
    for (Lanes& c : chain) {
      c = c * 0.5f + 1.0f;
      asm volatile("" : "+x"(c));
    }
}

Roofline measure() {
  const double threads = tapetum::kernels::thread_count();
  constexpr int64_t rounds = 2'000'000;
  const double compute = best_seconds([](int) { multiply_add(rounds); });
  constexpr size_t size = 128 << 20;
  std::vector<std::vector<char>> buffers(2 * static_cast<size_t>(threads), std::vector<char>(size, 1));
  const double copy = best_seconds([&](int t) { std::memcpy(buffers[2 * t].data(), buffers[2 * t + 1].data(), size); });
  return {threads * rounds * 12 * 8 * 2 / compute, threads * 2 * size / copy};
}

}  // namespace

const Roofline& roofline() {
  static const Roofline measured = measure();
  return measured;
}
