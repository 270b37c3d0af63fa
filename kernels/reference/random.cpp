// The numbers are the same on every instruction set and device, so that there is one implementation for hosts: the oracle walks it
// element by element, the candidate `parallel` spreads blocks over threads.
#include "kernels/random.h"

#include <cmath>
#include <numbers>

#include "kernels/candidates.h"
#include "kernels/parallel.h"
#include "kernels/philox.h"

namespace tapetum::kernels {
namespace {

bool supports(const RandomArgs& a) { return is_floating(a.dtype); }

// The four values of one block.
using Block = void (*)(const PhiloxWords&, const RandomArgs&, double (&)[4]);

double unit(uint32_t word) { return (word >> 8) * 0x1p-24; }  // [0, 1)

void uniform(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
  for (int i = 0; i < 4; ++i) y[i] = a.a + (a.b - a.a) * unit(w.at[i]);
}
void normal(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
  for (int i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2 * std::log(1 - unit(w.at[i]))), angle = 2 * std::numbers::pi * unit(w.at[i + 1]);
    y[i] = a.a + a.b * radius * std::cos(angle);
    y[i + 1] = a.a + a.b * radius * std::sin(angle);
  }
}
void bernoulli(const PhiloxWords& w, const RandomArgs& a, double (&y)[4]) {
  for (int i = 0; i < 4; ++i) y[i] = unit(w.at[i]) < a.a;
}

template <Block block> Status by_element(const RandomArgs& a, Workspace&) {
  with_type(a.dtype, [&]<class T>() {
    for (int64_t i = 0; i < a.count; ++i) {
      double y[4];
      block(philox(a.seed, a.call, static_cast<uint64_t>(i / 4)), a, y);
      static_cast<T*>(a.y)[i] = cast<T>(y[i % 4]);
    }
  });
  return Status::ok;
}

template <Block block> Status by_block(const RandomArgs& a, Workspace&) {
  constexpr int64_t kBlocks = 2048;  // of one unit of work
  const int64_t blocks = (a.count + 3) / 4;
  with_type(a.dtype, [&]<class T>() {
    parallel_for((blocks + kBlocks - 1) / kBlocks, [&](int64_t unit) {
      for (int64_t b = unit * kBlocks; b < blocks && b < (unit + 1) * kBlocks; ++b) {
        double y[4];
        block(philox(a.seed, a.call, static_cast<uint64_t>(b)), a, y);
        for (int64_t i = 4 * b; i < a.count && i < 4 * b + 4; ++i) static_cast<T*>(a.y)[i] = cast<T>(y[i % 4]);
      }
    });
  });
  return Status::ok;
}

}  // namespace

#define RANDOM(kind)                                                                                                            \
  TAPETUM_CANDIDATE(RandomArgs, random_##kind##_reference){.name = "reference", .supports = supports, .run = by_element<kind>}; \
  TAPETUM_CANDIDATE(RandomArgs, random_##kind##_parallel) { .name = "parallel", .supports = supports, .run = by_block<kind> }
RANDOM(uniform);
RANDOM(normal);
RANDOM(bernoulli);

}  // namespace tapetum::kernels
