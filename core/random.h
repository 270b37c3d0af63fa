// Where random numbers come from: one Philox 4x32-10 stream, element i of call k takes counter (k, i / 4), lane i % 4, on every device
// and at any number of threads.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tapetum {

// Seed and number of the next call: all that decides what comes next. Saved and restored by checkpoints.
struct GeneratorState {
  uint64_t seed = 0, calls = 0;
};

void manual_seed(uint64_t seed);
GeneratorState random_state();
void set_random_state(GeneratorState state);

GeneratorState next_random_call();                 // seed and number of this call; the next one gets the next number
GeneratorState take_random_calls(uint64_t count);  // the same for so many at once: the first one's

// A seed of its own for every (seed, stream, purpose).
uint64_t derived_seed(uint64_t seed, uint64_t stream, uint64_t purpose);

// Numbers one by one, for code on the host: the same sequence for the same (seed, stream), whoever else draws.
class RandomStream {
 public:
  explicit RandomStream(uint64_t seed, uint64_t stream = 0) : seed_(seed), stream_(stream) {}
  uint32_t bits();
  double uniform(double low = 0, double high = 1);  // [low, high), 53 bits
  int64_t integer(int64_t count);                   // [0, count), without bias
  double normal(double mean = 0, double deviation = 1);
  bool chance(double probability) { return uniform() < probability; }

 private:
  uint64_t seed_, stream_, block_ = 0;
  uint32_t words_[4] = {};
  int used_ = 4;
};

}  // namespace tapetum
