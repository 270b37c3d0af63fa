// The largest pixel of each 5 x 5 neighbourhood (a dilation): a warp slides down the image with the last five rows in registers.
//
// y[h][w] = the largest x[r][c] with |r - h| <= 2 and |c - w| <= 2, of those that there are. There are negative values alone.
//
// A warp makes kStrip columns of kHigh rows, a block has kWarps warps side by side. 32 lanes bring the pixels from column left - kRim on, which is
// enough for kStrip results; each is loaded once. What to write, for each row from top - kRim to top + kHigh + kRim - 1:
//   - a lane's pixel; where the image has none, something that is never the largest. All lanes come to each shuffle, pixel or not;
//   - the largest of five neighbours of the row, by three shuffles: the largest of two, of four, of five;
//   - the largest of the last five of these, which a lane keeps in registers, is the result of the row kRim above.
// Moving five registers along costs little, and nothing once the loop is unrolled.
// The idea: docs/ladders/convolution.md, step 6, without shared memory.
#include "exercises/harness/exercise.h"

constexpr int kWarp = 32, kWarps = 4, kRim = 2, kTaps = 2 * kRim + 1, kStrip = kWarp - 2 * kRim, kHigh = 16;

__global__ void dilation(float* y, const float* x, int height, int width) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int top = static_cast<int>(blockIdx.y) * kHigh, left = (static_cast<int>(blockIdx.x) * kWarps + warp) * kStrip;  // of the warp's results
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int height = a.sizes[0], width = a.sizes[1];
  const dim3 grid(cover(width, kStrip * kWarps), cover(height, kHigh));
  return gpu::launch<dilation>({.grid = grid, .block = kWarp * kWarps}, a.y, a.x[0], height, width);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return s; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y;
  for (int h = 0; h < s[0]; ++h)
    for (int w = 0; w < s[1]; ++w) {
      double top = -INFINITY;
      for (int r = std::max(h - kRim, 0); r <= std::min(h + kRim, s[0] - 1); ++r)
        for (int c = std::max(w - kRim, 0); c <= std::min(w + kRim, s[1] - 1); ++c) top = std::fmax(top, x[0][r * s[1] + c]);
      y.push_back(top);
    }
  return y;
}

constexpr int kCounted = 2 * kWarps, kIn = kHigh + 2 * kRim;  // warps, and the rows that each reads
constexpr int kRequests = kCounted * (kIn + kHigh), kShuffles = 3 * kCounted * kIn;
const Exercise exercise{
    .launch = launch,
    .tested = {{16, 112}, {1, 1}, {17, 30}, {40, 29}, {5, 200}},
    .counted = {2 * kHigh, 4 * kStrip},
    .low = -2,
    .high = -1,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::global_requests, kRequests}, {Count::shuffles, kShuffles}, {Count::shared_requests, 0}, {Count::barriers, 0}},
};
const Register registered(__FILE__, exercise);
