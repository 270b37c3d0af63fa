#include "kernels/roofline.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>

#include "kernels/candidates.h"
#include "kernels/multiply_add.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {

static const Entry<MultiplyAddArgs> multiply_add[] = {TAPETUM_CPU(MultiplyAddArgs, multiply_add)};

namespace {

// The best of some runs of f(unit) for `units` units on all threads, in seconds.
template <class F> double best_seconds(int64_t units, F f) {
  double best = 1e9;
  for (int run = 0; run < 5; ++run) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(units, f);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

double flops_per_second(int64_t threads) {
  const int64_t units = 8 * threads;  // a thread that comes late takes fewer
  double flops = 0;
  const MultiplyAddArgs args{100'000, &flops};
  const auto* candidate = multiply_add[0].find(machine_isa(), args);
  const double seconds = best_seconds(units, [&](int64_t) {
    double done = 0;
    Workspace none;
    candidate->run({args.rounds, &done}, none);
    __atomic_store(&flops, &done, __ATOMIC_RELAXED);
  });
  return static_cast<double>(units) * flops / seconds;
}

double bytes_per_second(int64_t threads) {
  const int64_t piece = (int64_t{128} << 20) / threads;
  const std::unique_ptr<char[]> from(new char[static_cast<size_t>(piece * threads)]), to(new char[static_cast<size_t>(piece * threads)]);
  parallel_for(threads, [&](int64_t i) {  // pages come with the first write
    std::memset(from.get() + i * piece, 1, static_cast<size_t>(piece));
    std::memset(to.get() + i * piece, 1, static_cast<size_t>(piece));
  });
  const double seconds =
      best_seconds(threads, [&](int64_t i) { std::memcpy(to.get() + i * piece, from.get() + i * piece, static_cast<size_t>(piece)); });
  return 2.0 * static_cast<double>(piece * threads) / seconds;
}

}  // namespace

Roofline roofline() {
  static std::mutex mutex;
  static int measured_at = 0;
  static Roofline measured;
  const std::lock_guard lock(mutex);
  const int threads = thread_count();
  if (measured_at != threads) measured = {flops_per_second(threads), bytes_per_second(threads)};
  measured_at = threads;
  return measured;
}

}  // namespace tapetum::kernels
