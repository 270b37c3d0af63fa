// Smooth an image without blurring its edges (a bilateral filter): a block's pixels come to shared memory once, with a rim of two around them.
//
// y[h][w] = the mean of the 5 x 5 pixels p around x[h][w], weighted by exp(-(p - x[h][w])^2 * kSharp). Beyond the edge of the image its nearest
// pixel counts, in the corners too.
//
// A block has kWide x kHigh threads, one for each of its pixels. What to write:
//   - the tile with its rim in shared memory: it has more pixels than the block has threads. Neighbouring lanes read neighbours;
//   - the mean, once all of that is there. Threads of the last blocks may have no pixel, but bring some of the tile.
// The idea: docs/ladders/convolution.md, step 2. (Tomasi, Manduchi 1998: Bilateral filtering for gray and color images.)
#include "exercises/harness/exercise.h"

constexpr int kWide = 32, kHigh = 8, kThreads = kWide * kHigh, kRim = 2;
constexpr float kSharp = 4;

__global__ void bilateral(float* y, const float* x, int height, int width) {
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int top = static_cast<int>(blockIdx.y) * kHigh, left = static_cast<int>(blockIdx.x) * kWide;  // the block's first pixel
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int height = a.sizes[0], width = a.sizes[1];
  return gpu::launch<bilateral>({.grid = dim3(cover(width, kWide), cover(height, kHigh)), .block = dim3(kWide, kHigh)}, a.y, a.x[0], height, width);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return s; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y;
  for (int h = 0; h < s[0]; ++h)
    for (int w = 0; w < s[1]; ++w) {
      double sum = 0, weights = 0;
      for (int r = h - kRim; r <= h + kRim; ++r)
        for (int c = w - kRim; c <= w + kRim; ++c) {
          const double pixel = x[0][std::clamp(r, 0, s[0] - 1) * s[1] + std::clamp(c, 0, s[1] - 1)], apart = pixel - x[0][h * s[1] + w];
          const double weight = std::exp(-apart * apart * kSharp);
          sum += weight * pixel;
          weights += weight;
        }
      y.push_back(sum / weights);
    }
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{8, 32}, {1, 5}, {17, 40}, {9, 65}, {30, 31}},
    .counted = {64, 96},
    .low = 1,
    .high = 2,
    .tolerance = 1e-6,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    // Of 36 x 12 pixels for 32 x 8: 1.7 times the image, and parts of sectors.
    .limits = {{Count::bytes_loaded, 64 * 96 * 4 * 3}, {Count::bank_conflicts, 0}, {Count::barriers, 8 * 3 * kThreads / 32}},
};
const Register registered(__FILE__, exercise);
