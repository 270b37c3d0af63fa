#include "core/random.h"

#include <atomic>
#include <cmath>
#include <numbers>

#include "kernels/philox.h"

namespace tapetum {
namespace {

std::atomic<uint64_t> seed{0}, calls{0};

}  // namespace

void manual_seed(uint64_t s) { set_random_state({s, 0}); }
GeneratorState random_state() { return {seed, calls}; }
void set_random_state(GeneratorState state) {
  seed = state.seed;
  calls = state.calls;
}

GeneratorState next_random_call() { return {seed, calls.fetch_add(1)}; }

uint64_t derived_seed(uint64_t seed, uint64_t stream, uint64_t purpose) {
  const auto words = kernels::philox(seed, stream, purpose);
  return static_cast<uint64_t>(words.at[0]) << 32 | words.at[1];
}

uint32_t RandomStream::bits() {
  if (used_ == 4) {
    const auto words = kernels::philox(seed_, stream_, block_++);
    for (int i = 0; i < 4; ++i) words_[i] = words.at[i];
    used_ = 0;
  }
  return words_[used_++];
}

double RandomStream::uniform(double low, double high) {
  const uint64_t high_bits = bits() >> 5, low_bits = bits() >> 6;
  return low + (high - low) * (static_cast<double>(high_bits << 26 | low_bits) * 0x1p-53);
}

int64_t RandomStream::integer(int64_t count) {
  const uint64_t n = static_cast<uint64_t>(count), limit = ~uint64_t{0} - ~uint64_t{0} % n;
  for (;;) {
    const uint64_t x = static_cast<uint64_t>(bits()) << 32 | bits();
    if (x < limit) return static_cast<int64_t>(x % n);
  }
}

// Box and Muller (1958); 1 - u keeps the logarithm's argument above zero.
double RandomStream::normal(double mean, double deviation) {
  const double radius = std::sqrt(-2 * std::log(1 - uniform())), angle = 2 * std::numbers::pi * uniform();
  return mean + deviation * radius * std::cos(angle);
}

}  // namespace tapetum
