// Count how often each value comes: in shared memory first, so that a block goes to the common counters once for each of them.
//
// x has n floats of [0, kBins); y[bin] = how many of them lie in [bin, bin + 1). y is zero when the kernel starts.
//
// A block has kEach * kThreads values. What to write:
//   - counters of the block, in shared memory, which begin as NaN or whatever was there before;
//   - its values, counted there; the last block may have fewer;
//   - the block's counts, added to y.
// The idea: docs/ladders/reduction.md, step 2: what a block can do by itself, it need not do in one queue with all others.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kEach = 16, kBins = 100;

__global__ void histogram(float* y, const float* x, int n) {
  const int thread = static_cast<int>(threadIdx.x), begin = static_cast<int>(blockIdx.x) * kThreads * kEach;
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const cudaError_t zeroed = cudaMemsetAsync(a.y, 0, kBins * sizeof(float), nullptr);
  if (zeroed != cudaSuccess) return zeroed;
  return gpu::launch<histogram>({.grid = cover(a.sizes[0], kThreads * kEach), .block = kThreads}, a.y, a.x[0], a.sizes[0]);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes&) { return Sizes{kBins}; }
std::vector<double> reference(const Sizes&, const Inputs& x) {
  std::vector<double> y(kBins);
  for (float v : x[0]) ++y[static_cast<int>(v)];
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{4096}, {1}, {5000}, {777}, {8192 + 31}},
    .counted = {32768},
    .low = 0,
    .high = kBins,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, 32768 * 4}, {Count::global_requests, 32768 / 32 + 8 * 4}},
};
const Register registered(__FILE__, exercise);
