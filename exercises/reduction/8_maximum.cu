// The largest of many values in two launches: no atomic, and no order of blocks.
//
// The kernel is launched twice: by several blocks for x, which leave one value each in scratch memory, and by one block for those.
// out[block] = the largest of the block's kEach * kThreads values. The last block may have fewer; there are negative values alone.
//
// What to write:
//   - each thread's largest of up to kEach values, neighbouring threads at neighbouring values;
//   - the warp's, by shuffles; the block's, through shared memory, with one barrier;
//   - who writes it.
// The idea: docs/ladders/reduction.md, steps 5, 6 and 8.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp, kEach = 16;

__global__ void maximum(float* out, const float* x, int n) {
  const int thread = static_cast<int>(threadIdx.x), begin = static_cast<int>(blockIdx.x) * kThreads * kEach;
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const unsigned blocks = cover(a.sizes[0], kThreads * kEach);
  const cudaError_t first = gpu::launch<maximum>({.grid = blocks, .block = kThreads}, a.scratch, a.x[0], a.sizes[0]);
  if (first != cudaSuccess) return first;
  return gpu::launch<maximum>({.grid = 1, .block = kThreads}, a.y, a.scratch, static_cast<int>(blocks));
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes&) { return Sizes{1}; }
Sizes scratch(const Sizes& s) { return Sizes{static_cast<int>(cover(s[0], kThreads * kEach))}; }
std::vector<double> reference(const Sizes&, const Inputs& x) {
  double top = -INFINITY;
  for (float v : x[0]) top = std::fmax(top, v);
  return std::vector{top};
}

const Exercise exercise{
    .launch = launch,
    .tested = {{4096}, {1}, {5000}, {777}, {3 * 4096 + 31}},
    .counted = {65536},
    .low = -2,
    .high = -1,
    .inputs = inputs,
    .output = output,
    .scratch = scratch,
    .reference = reference,
    .limits = {{Count::atomics_in_turn, 0},
               {Count::barriers, 17 * kWarps},
               {Count::shuffles, 17 * (kWarps * 5 + 3)},
               {Count::bytes_loaded, 65536 * 4 + 16 * 4}},
};
const Register registered(__FILE__, exercise);
