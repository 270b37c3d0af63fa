// The scalar product of two vectors: a tree in shared memory whose active threads lie side by side, and one atomic a block.
//
// y[0] = a[0] * b[0] + ... + a[n - 1] * b[n - 1]. y[0] is zero when the kernel starts.
//
// There are enough threads for one an element, in blocks of kThreads; a few of the last block are too many. What to write:
//   - each thread's product, in shared memory;
//   - their sum: at each level the upper half is added to the lower one;
//   - one thread of the block adds it to y[0].
// The idea: docs/ladders/reduction.md, steps 2 to 4.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256;

__global__ void dot(float* y, const float* a, const float* b, int n) {
  const int thread = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x) * kThreads + thread;
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const cudaError_t zeroed = cudaMemsetAsync(a.y, 0, sizeof(float), nullptr);
  if (zeroed != cudaSuccess) return zeroed;
  return gpu::launch<dot>({.grid = cover(a.sizes[0], kThreads), .block = kThreads}, a.y, a.x[0], a.x[1], a.sizes[0]);
}
Shapes inputs(const Sizes& s) { return Shapes{s, s}; }
Sizes output(const Sizes&) { return Sizes{1}; }
std::vector<double> reference(const Sizes&, const Inputs& x) {
  double sum = 0;
  for (size_t i = 0; i < x[0].size(); ++i) sum += static_cast<double>(x[0][i]) * x[1][i];
  return std::vector{sum};
}

const Exercise exercise{
    .launch = launch,
    .tested = {{256}, {1}, {1000}, {77}, {2048}},
    .counted = {16384},
    .low = 0.5,
    .tolerance = 1e-5,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bank_conflicts, 0},
               {Count::idle_lanes, 1},
               {Count::barriers, 64 * 8 * 9},
               {Count::atomics_in_turn, 64},
               {Count::shared_requests, 64 * 45}},
};
const Register registered(__FILE__, exercise);
