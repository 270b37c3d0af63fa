// Blocks of the stream spread over threads. One version serves every instruction set, so that the numbers are the same on all.
#include "kernels/random.h"

#include <cmath>
#include <numbers>

#include "kernels/cpu/vec.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {
namespace {

bool supports(const RandomArgs& a) { return kBaseline && is_floating(a.dtype); }

// The four values of one block.
void uniform(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
  for (int i = 0; i < 4; ++i) y[i] = a.a + (a.b - a.a) * unit_interval(w.at[i]);
}
void normal(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
  for (int i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2 * std::log(1 - unit_interval(w.at[i]))), angle = 2 * std::numbers::pi * unit_interval(w.at[i + 1]);
    y[i] = a.a + a.b * radius * std::cos(angle);
    y[i + 1] = a.a + a.b * radius * std::sin(angle);
  }
}
void bernoulli(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
  for (int i = 0; i < 4; ++i) y[i] = unit_interval(w.at[i]) < a.a;
}

template <auto block> Status run(const RandomArgs& a, Workspace&) {
  const RandomCall call = a.call.resolved();
  with_type(a.dtype, [&]<class T>() {
    T* out = static_cast<T*>(a.y);
    parallel_ranges((a.count + 3) / 4, 2048, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        double y[4];
        block(philox(call, static_cast<uint64_t>(b)), a, y);
        for (int64_t i = 4 * b; i < a.count && i < 4 * b + 4; ++i) out[i] = cast<T>(y[i % 4]);
      }
    });
  });
  return Status::ok;
}

}  // namespace

#define RANDOM(kind) \
  TAPETUM_CPU_CANDIDATE(RandomArgs, random_##kind##_blocks) { .name = "blocks", .supports = supports, .run = run<kind> }
RANDOM(uniform);
RANDOM(normal);
RANDOM(bernoulli);

}  // namespace tapetum::kernels
