// Take the colours of an image apart once more, now with whole lines on both sides: through shared memory.
//
// x has `pixels` pixels of kChannels floats, y has kChannels planes of `pixels` floats: y[channel][pixel] = x[pixel][channel].
//
// A block of kThreads threads has as many pixels: kChannels * kThreads floats that lie one after the other in x. What to write:
//   - the block's floats, from x to shared memory: in each access of a warp, its lanes read neighbours of x;
//   - and from there to y: in each access of a warp, its lanes write neighbours of a plane;
//   - the last block may have fewer pixels.
// The idea: docs/ladders/transpose.md, step 3.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kChannels = 3;

__global__ void planes(float* y, const float* x, int pixels) {
  const int thread = static_cast<int>(threadIdx.x), begin = static_cast<int>(blockIdx.x) * kThreads;  // the block's first pixel
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) { return gpu::launch<planes>({.grid = cover(a.sizes[0], kThreads), .block = kThreads}, a.y, a.x[0], a.sizes[0]); }
Shapes inputs(const Sizes& s) { return Shapes{{s[0], kChannels}}; }
Sizes output(const Sizes& s) { return Sizes{kChannels, s[0]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].size());
  for (int i = 0; i < s[0]; ++i)
    for (int c = 0; c < kChannels; ++c) y[c * s[0] + i] = x[0][i * kChannels + c];
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{256}, {1}, {1000}, {333}, {2 * 256 + 85}},
    .counted = {4096},
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, 4096 * kChannels * 4}, {Count::bytes_stored, 4096 * kChannels * 4}, {Count::bank_conflicts, 0}},
};
const Register registered(__FILE__, exercise);
