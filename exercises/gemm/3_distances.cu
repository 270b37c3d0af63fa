// Squared distances between all points of two sets: a block brings tiles of both to shared memory, where each number serves kTile threads.
//
// y[i][j] = (a[i][0] - b[j][0])^2 + ... + (a[i][k - 1] - b[j][k - 1])^2, a [m, k] and b [n, k] row by row.
//
// A block has kTile x kTile threads, one for each element of its part of y. What to write:
//   - for kTile of the k coordinates at a time, a tile of a and one of b in shared memory, both read with neighbouring lanes at neighbouring
//     coordinates. No size need be a multiple of kTile: what stands where there is nothing to read must not change a sum;
//   - what the tiles add to this thread's sum. Two lanes with different points of b should not meet in a bank;
//   - nobody may overwrite a tile that others still read.
// The idea: docs/ladders/gemm.md, step 3, with the padding of docs/ladders/transpose.md, step 4.
#include "exercises/harness/exercise.h"

constexpr int kTile = 32;

__global__ void distances(float* y, const float* a, const float* b, int m, int n, int k) {
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;  // the block's first i and j
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int m = a.sizes[0], n = a.sizes[1], k = a.sizes[2];
  return gpu::launch<distances>({.grid = dim3(cover(n, kTile), cover(m, kTile)), .block = dim3(kTile, kTile)}, a.y, a.x[0], a.x[1], m, n, k);
}
Shapes inputs(const Sizes& s) { return Shapes{{s[0], s[2]}, {s[1], s[2]}}; }
Sizes output(const Sizes& s) { return Sizes{s[0], s[1]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(s[0] * s[1]);
  for (int i = 0; i < s[0]; ++i)
    for (int j = 0; j < s[1]; ++j)
      for (int l = 0; l < s[2]; ++l) y[i * s[1] + j] += std::pow(static_cast<double>(x[0][i * s[2] + l]) - x[1][j * s[2] + l], 2);
  return y;
}

constexpr int kTiles = 2 * 2 * 2, kWarps = kTile * kTile / 32;  // of what is counted: pairs of tiles, warps of a block
constexpr int kBytes = 4 * 2 * kTiles * kTile * kTile, kBarriers = 2 * kTiles * kWarps, kRequests = 2 * kTiles * kWarps * (1 + kTile);
const Exercise exercise{
    .launch = launch,
    .tested = {{32, 32, 32}, {5, 40, 7}, {33, 20, 70}, {32, 33, 64}, {1, 1, 1}},
    .counted = {2 * kTile, 2 * kTile, 2 * kTile},
    .tolerance = 1e-6,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, kBytes}, {Count::bank_conflicts, 0}, {Count::shared_requests, kRequests}, {Count::barriers, kBarriers}},
};
const Register registered(__FILE__, exercise);
