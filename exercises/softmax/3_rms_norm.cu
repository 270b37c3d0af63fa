// Normalise rows by their root mean square (RMSNorm): a block for each row, whose threads combine by shuffles and meet at one barrier.
//
// y[row][i] = x[row][i] / sqrt(mean of x[row][...]^2 + kEps)
//
// What to write:
//   - each of the kThreads threads sums the squares of its share of the row;
//   - the lanes of a warp combine their sums through registers, by __shfl_xor_sync (or _down);
//   - the warps combine theirs through shared memory, one float a warp; all threads need the result.
// The idea: docs/ladders/softmax.md, step 3. (Zhang, Sennrich 2019: Root Mean Square Layer Normalization.)
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;
constexpr float kEps = 1e-6f;

__global__ void rms_norm(float* y, const float* x, int length) {
  x += int64_t{blockIdx.x} * length;  // this block's row
  y += int64_t{blockIdx.x} * length;
  const int thread = static_cast<int>(threadIdx.x);
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  return gpu::launch<rms_norm>({.grid = static_cast<unsigned>(a.sizes[0]), .block = kThreads}, a.y, a.x[0], a.sizes[1]);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return s; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].begin(), x[0].end());
  for (int i = 0; i < s[0]; ++i) {
    double sum = 0;
    for (int j = 0; j < s[1]; ++j) sum += y[i * s[1] + j] * y[i * s[1] + j];
    for (int j = 0; j < s[1]; ++j) y[i * s[1] + j] /= std::sqrt(sum / s[1] + kEps);
  }
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{2, 256}, {3, 1000}, {5, 3}, {4, 257}, {3, 77}},
    .counted = {16, 1024},
    .tolerance = 1e-5,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::barriers, 16 * kWarps}, {Count::shuffles, 16 * kWarps*(5 + 3)}, {Count::shared_requests, 16 * kWarps * 2}},
};
const Register registered(__FILE__, exercise);
