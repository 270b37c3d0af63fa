// Attention pooling: the mean of a set's rows, weighted by the softmax of their scores against one query, in one pass over the rows.
//
// score[i] = q . x[set][i], y[set] = the sum of exp(score[i]) x[set][i] over i, divided by the sum of exp(score[i]). q and all rows have kWidth
// floats. Scores exceed 100, and exp(89) is more than a float holds: the largest score so far is taken off, as by softmax.
//
// A warp has a set: a lane has columns `lane` and `lane + kWarp` of q, of each row and of y. Each row is read once. What to write:
//   - the score of a row, which all lanes need: by shuffles;
//   - what the warp keeps of the rows that it has seen, and how one more row changes it;
//   - the result.
// The idea: docs/ladders/attention.md, step 3. (Ilse, Tomczak, Welling 2018: Attention-based deep multiple instance learning.)
#include "exercises/harness/exercise.h"

constexpr int kThreads = 128, kWarp = 32, kWarps = kThreads / kWarp, kWidth = 2 * kWarp;

__global__ void pooling(float* y, const float* q, const float* x, int sets, int rows) {
  const int set = static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarp), lane = static_cast<int>(threadIdx.x) % kWarp;
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int sets = a.sizes[0], rows = a.sizes[1];
  return gpu::launch<pooling>({.grid = cover(sets, kWarps), .block = kThreads}, a.y, a.x[0], a.x[1], sets, rows);
}
Shapes inputs(const Sizes& s) { return Shapes{{kWidth}, {s[0], s[1], kWidth}}; }
Sizes output(const Sizes& s) { return Sizes{s[0], kWidth}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(s[0] * kWidth);
  for (int set = 0; set < s[0]; ++set) {
    const float* row = &x[1][set * s[1] * kWidth];
    std::vector<double> score(s[1]);
    double top = -INFINITY, sum = 0;
    for (int i = 0; i < s[1]; ++i) {
      for (int c = 0; c < kWidth; ++c) score[i] += static_cast<double>(x[0][c]) * row[i * kWidth + c];
      top = std::fmax(top, score[i]);
    }
    for (double& v : score) sum += v = std::exp(v - top);
    for (int i = 0; i < s[1]; ++i)
      for (int c = 0; c < kWidth; ++c) y[set * kWidth + c] += score[i] / sum * row[i * kWidth + c];
  }
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{4, 16}, {3, 50}, {33, 1}, {9, 2}, {1, 7}},
    .counted = {16, 64},
    .low = 1,
    .high = 2,
    .tolerance = 1e-4,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, 16 * (64 + 1) * kWidth * 4}, {Count::shuffles, 16 * 64 * 5}, {Count::shared_requests, 0}, {Count::barriers, 0}},
};
const Register registered(__FILE__, exercise);
