// The logarithm of the sum of exponentials of each row, in one pass: maximum and sum at once, the sum rescaled when the maximum grows.
//
// y[row] = max + log(sum of exp(x[row][...] - max)), max the largest value of the row: exp(100) is more than a float holds.
//
// A warp has a row. Each element is read once. What to write:
//   - what a lane keeps of the elements that it has seen, and how one more changes it;
//   - how two lanes put together what they have (of a short row, some have seen nothing);
//   - one lane writes the result.
// The idea: docs/ladders/softmax.md, step 5. (Milakov, Gimelshein 2018: Online normalizer calculation for softmax.)
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

__global__ void log_sum_exp(float* y, const float* x, int rows, int length) {
  const int row = static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x) % kWarp;
  if (row >= rows) return;
  x += int64_t{row} * length;  // this warp's row
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int rows = a.sizes[0], length = a.sizes[1];
  return gpu::launch<log_sum_exp>({.grid = cover(rows, kWarps), .block = kThreads}, a.y, a.x[0], rows, length);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return Sizes{s[0]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(s[0]);
  for (int i = 0; i < s[0]; ++i) {
    double top = -INFINITY, sum = 0;
    for (int j = 0; j < s[1]; ++j) top = std::fmax(top, x[0][i * s[1] + j]);
    for (int j = 0; j < s[1]; ++j) sum += std::exp(x[0][i * s[1] + j] - top);
    y[i] = top + std::log(sum);
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
    .limits = {{Count::bytes_loaded, 64 * 512 * 4}, {Count::shuffles, 64 * 10}, {Count::barriers, 0}, {Count::shared_requests, 0}},
};
const Register registered(__FILE__, exercise);
