// The logarithm of softmax, row by row: a warp for each row, without shared memory and without a barrier.
//
// y[row][i] = x[row][i] - max - log(sum of exp(x[row][...] - max)), max the largest value of the row: exp(100) is more than a float holds.
//
// A block has kWarps warps, each with a row of its own; the last block may have fewer rows. What to write:
//   - which row this warp has, and which lane this thread is;
//   - the largest value and the sum, by the lanes for their share of the row and by shuffles for all of it;
//   - the result, with neighbouring lanes at neighbouring elements all the time.
// The idea: docs/ladders/softmax.md, step 4.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

__global__ void log_softmax(float* y, const float* x, int rows, int length) {
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int rows = a.sizes[0], length = a.sizes[1];
  return gpu::launch<log_softmax>({.grid = cover(rows, kWarps), .block = kThreads}, a.y, a.x[0], rows, length);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return s; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].begin(), x[0].end());
  for (int i = 0; i < s[0]; ++i) {
    double top = -INFINITY, sum = 0;
    for (int j = 0; j < s[1]; ++j) top = std::fmax(top, y[i * s[1] + j]);
    for (int j = 0; j < s[1]; ++j) sum += std::exp(y[i * s[1] + j] - top);
    for (int j = 0; j < s[1]; ++j) y[i * s[1] + j] -= top + std::log(sum);
  }
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{8, 64}, {3, 257}, {11, 5}, {20, 33}, {1, 1}},
    .counted = {64, 512},
    .low = -100,
    .high = 100,
    .tolerance = 1e-5,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::barriers, 0}, {Count::shared_requests, 0}, {Count::shuffles, 64 * 10}, {Count::bytes_loaded, 3 * 64 * 512 * 4}},
};
const Register registered(__FILE__, exercise);
