// Element by element: the block of the stream that it takes, and its lane there.
#include "kernels/random.h"

#include <cmath>
#include <numbers>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const RandomArgs& a) { return is_floating(a.dtype); }

double uniform(const PhiloxWords& w, int lane, const RandomArgs& a) { return a.a + (a.b - a.a) * unit_interval(w.at[lane]); }

double normal(const PhiloxWords& w, int lane, const RandomArgs& a) {
  const int first = lane / 2 * 2;
  const double radius = std::sqrt(-2 * std::log(1 - unit_interval(w.at[first]))), angle = 2 * std::numbers::pi * unit_interval(w.at[first + 1]);
  return a.a + a.b * radius * (lane == first ? std::cos(angle) : std::sin(angle));
}

double bernoulli(const PhiloxWords& w, int lane, const RandomArgs& a) { return unit_interval(w.at[lane]) < a.a; }

template <auto value> Status run(const RandomArgs& a, Workspace&) {
  const RandomCall call = a.call.resolved();
  with_type(a.dtype, [&]<class T>() {
    for (int64_t i = 0; i < a.count; ++i)
      static_cast<T*>(a.y)[i] = cast<T>(value(philox(call, static_cast<uint64_t>(i / 4)), static_cast<int>(i % 4), a));
  });
  return Status::ok;
}

}  // namespace

#define RANDOM(kind) \
  TAPETUM_CANDIDATE(RandomArgs, random_##kind##_reference) { .name = "reference", .supports = supports, .run = run<kind> }
RANDOM(uniform);
RANDOM(normal);
RANDOM(bernoulli);

}  // namespace tapetum::kernels
