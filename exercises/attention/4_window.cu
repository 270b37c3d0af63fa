// Attention in a window, where a query sees itself and the keys before it: four queries a thread use what it reads of shared memory.
//
// A thread has kEach queries with all their sums in registers, and a block brings only the keys that its queries see: kWindow of each.
//
// score[i][j] = the sum of q[c][i] k[c][j] over c, y[c][i] = the sum of exp(score[i][j]) v[c][j] over i - kWindow < j <= i, divided by the sum of
// exp(score[i][j]) over the same j. q, k, v and y are [kWidth, n]: neighbours in n lie side by side. Scores exceed 100, and exp(89) is more than a
// float holds.
//
// A block is a warp. A thread's queries are begin + thread, kThreads behind that, and so on. What to write:
//   - tiles of kTile keys and values in shared memory, from the first one that the block's first query sees;
//   - for each key kWidth floats of k and of v, from there to registers, and what they add to the kEach queries: a running maximum, a sum, kWidth
//     sums. A query may see nothing of a tile;
//   - the results. The last block may have fewer queries.
// A loop over an array that is to be registers needs bounds that the compiler knows.
// The idea: docs/ladders/attention.md, step 4. (Beltagy, Peters, Cohan 2020: Longformer.)
#include "exercises/harness/exercise.h"

constexpr int kThreads = 32, kEach = 4, kQueries = kThreads * kEach, kTile = 32, kWidth = 8, kWindow = 112;

__global__ void __launch_bounds__(kThreads) window(float* y, const float* q, const float* k, const float* v, int n) {
  const int thread = static_cast<int>(threadIdx.x), begin = static_cast<int>(blockIdx.x) * kQueries;
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int n = a.sizes[0];
  return gpu::launch<window>({.grid = cover(n, kQueries), .block = kThreads}, a.y, a.x[0], a.x[1], a.x[2], n);
}
Shapes inputs(const Sizes& s) { return Shapes(3, {kWidth, s[0]}); }
Sizes output(const Sizes& s) { return Sizes{kWidth, s[0]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  const int n = s[0];
  std::vector<double> y(kWidth * n);
  for (int i = 0; i < n; ++i) {
    const int first = std::max(0, i - kWindow + 1);
    std::vector<double> score(i + 1 - first);
    double top = -INFINITY, sum = 0;
    for (int j = first; j <= i; ++j) {
      for (int c = 0; c < kWidth; ++c) score[j - first] += static_cast<double>(x[0][c * n + i]) * x[1][c * n + j];
      top = std::fmax(top, score[j - first]);
    }
    for (double& w : score) sum += w = std::exp(w - top);
    for (int j = first; j <= i; ++j)
      for (int c = 0; c < kWidth; ++c) y[c * n + i] += score[j - first] / sum * x[2][c * n + j];
  }
  return y;
}

// Of 384 queries the first 128 see keys from 0 on, the next from 17, the last from 145: those of 4, 8 and 8 tiles.
constexpr int kTiles = 4 + 8 + 8, kKeys = kTiles * kTile, kRequests = 2 * kKeys * kWidth + 2 * kKeys * kWidth / kThreads;
const Exercise exercise{
    .launch = launch,
    .tested = {{128}, {1}, {200}, {77}, {400}},
    .counted = {3 * kQueries},
    .low = 3.3,
    .high = 4.2,
    .tolerance = 1e-4,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, (3 * kQueries + 2 * kKeys) * kWidth * 4},
               {Count::shared_requests, kRequests},
               {Count::bank_conflicts, 0},
               {Count::barriers, 2 * kTiles}},
};
const Register registered(__FILE__, exercise);
