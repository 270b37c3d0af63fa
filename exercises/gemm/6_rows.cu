// Four vectors times one large matrix: a warp has four rows of it, and what it loads, 16 bytes a lane, is used four times from registers.
//
// y[v][i] = a[i][0] * x[v][0] + ... + a[i][k - 1] * x[v][k - 1], a [m, k] and x [kVectors, k] row by row.
//
// A warp has kRows rows, a block kWarps warps; the last ones may have fewer. a and x begin at a multiple of 256 bytes, and all rows do at one of
// 16 where k is a multiple of four. What to write:
//   - kRows x kVectors sums in registers, of a lane's share of the k columns: for four neighbours one float4 of each row and one of each vector;
//   - where k is no multiple of four, the same float by float;
//   - the sums of all lanes, by shuffles; one lane writes them.
// A loop over an array that is to be registers needs bounds that the compiler knows.
// The idea: docs/ladders/gemm.md, steps 5 and 6.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 128, kWarp = 32, kWarps = kThreads / kWarp, kRows = 4, kVectors = 4;

__global__ void times_vectors(float* y, const float* a, const float* x, int m, int k) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int first = (static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kWarp) * kRows;  // of this warp's rows
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int m = a.sizes[0], k = a.sizes[1];
  return gpu::launch<times_vectors>({.grid = cover(m, kWarps * kRows), .block = kThreads}, a.y, a.x[0], a.x[1], m, k);
}
Shapes inputs(const Sizes& s) { return Shapes{s, {kVectors, s[1]}}; }
Sizes output(const Sizes& s) { return Sizes{kVectors, s[0]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(kVectors * s[0]);
  for (int v = 0; v < kVectors; ++v)
    for (int i = 0; i < s[0]; ++i)
      for (int j = 0; j < s[1]; ++j) y[v * s[0] + i] += static_cast<double>(x[0][i * s[1] + j]) * x[1][v * s[1] + j];
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{16, 128}, {5, 256}, {17, 36}, {6, 77}, {1, 1}},
    .counted = {64, 512},
    .tolerance = 1e-5,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    // A warp loads four rows and four vectors of 512 floats, 128 at a time, and writes 16 sums.
    .limits = {{Count::global_requests, 16 * (8 * 4 + 16)},
               {Count::bytes_loaded, 16 * 8 * 512 * 4},
               {Count::shuffles, 16 * 16 * 5},
               {Count::shared_requests, 0},
               {Count::barriers, 0}},
};
const Register registered(__FILE__, exercise);
