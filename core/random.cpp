#include "core/random.h"

#include <atomic>
#include <cmath>
#include <numbers>

#include "core/capture.h"
#include "kernels/philox.h"

namespace tapetum {
namespace {

std::atomic<uint64_t> seed{0}, calls{0};

}  // namespace

void manual_seed(uint64_t s) {
  refuse_capture("manual_seed", "replays go on in the stream of their time");
  set_random_state({s, 0});
}

// While a graph is captured, calls are counted from where its replays will find the stream.
GeneratorState random_state() {
  if (const Capture* capture = current_capture()) return {0, capture->random_calls};
  return {seed, calls};
}
void set_random_state(GeneratorState state) {
  if (Capture* capture = current_capture()) {
    capture->random_calls = state.calls;
    return;
  }
  seed = state.seed;
  calls = state.calls;
}

GeneratorState next_random_call() { return take_random_calls(1); }
GeneratorState take_random_calls(uint64_t count) {
  refuse_capture("random", "the call would be the same at each replay");
  return {seed, calls.fetch_add(count)};
}

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
