// Running sums of rows (an inclusive scan): within a warp through registers, between warps through one barrier.
//
// y[row][i] = x[row][0] + ... + x[row][i]
//
// A block has a row of at most kThreads elements, one for each thread. What to write:
//   - the running sum within the warp: in step d = 1, 2, 4, 8, 16 each lane adds what the lane d below had, if there is one (__shfl_up_sync);
//   - the sum of each warp, in shared memory;
//   - to each thread's running sum, those of all earlier warps.
// The idea: docs/ladders/reduction.md, step 5. (Harris, Sengupta, Owens 2007: Parallel prefix sum with CUDA.)
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

__global__ void scan(float* y, const float* x, int length) {
  x += int64_t{blockIdx.x} * length;  // this block's row
  y += int64_t{blockIdx.x} * length;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp, warp = thread / kWarp;
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  return gpu::launch<scan>({.grid = static_cast<unsigned>(a.sizes[0]), .block = kThreads}, a.y, a.x[0], a.sizes[1]);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return s; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].begin(), x[0].end());
  for (int i = 0; i < s[0]; ++i)
    for (int j = 1; j < s[1]; ++j) y[i * s[1] + j] += y[i * s[1] + j - 1];
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{2, 256}, {3, 33}, {5, 7}, {4, 255}, {2, 1}},
    .counted = {32, 256},
    .tolerance = 1e-5,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::barriers, 32 * kWarps},
               {Count::shuffles, 32 * kWarps * 5},
               {Count::shared_requests, 32 * (kWarps + kWarps * (kWarps - 1) / 2)}},
};
const Register registered(__FILE__, exercise);
