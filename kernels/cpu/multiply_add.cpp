#include "kernels/multiply_add.h"

#include "kernels/cpu/vec.h"

namespace tapetum::kernels {
namespace {

// Latency times throughput of a fused multiply-add is at most ten on current machines: so many chains that wait for nobody.
constexpr int kChains = 12;

bool always(const MultiplyAddArgs&) { return true; }

Status multiply_add(const MultiplyAddArgs& a, Workspace&) {
  using V = Vec<float>;
  V chain[kChains];
  for (int j = 0; j < kChains; ++j) chain[j] = V(static_cast<float>(j + 3));  // not alike, and not 2, which stays: the compiler would see it
  const V half(0.5f), one(1.f);
  for (int64_t i = 0; i < a.rounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) chain[j] = chain[j] * half + one;
  V sum(0.f);
  for (const V& c : chain) sum = sum + c;
  volatile float kept = sum.raw[0];  // or the chains would be nobody's
  static_cast<void>(kept);
  *a.flops = static_cast<double>(a.rounds) * kChains * V::lanes * 2;
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(MultiplyAddArgs, multiply_add){.name = "multiply_add", .supports = always, .run = multiply_add};

}  // namespace tapetum::kernels
