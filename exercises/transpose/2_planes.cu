// Take the colours of an image apart: from the channels of a pixel side by side to one plane for each channel, written in whole lines.
//
// x has `pixels` pixels of `channels` floats, y has `channels` planes of `pixels` floats: y[channel][pixel] = x[pixel][channel].
//
// There are enough threads for one an element, in blocks of kThreads; a few of the last block are too many. What to write:
//   - which element of y this thread writes, so that the lanes of a warp (threads with neighbouring threadIdx.x) write neighbours;
//   - where in x it comes from.
// The idea: docs/ladders/transpose.md, step 2.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256;

__global__ void planes(float* y, const float* x, int pixels, int channels) {
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int pixels = a.sizes[0], channels = a.sizes[1];
  return gpu::launch<planes>({.grid = cover(pixels * channels, kThreads), .block = kThreads}, a.y, a.x[0], pixels, channels);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return Sizes{s[1], s[0]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].size());
  for (int i = 0; i < s[0]; ++i)
    for (int c = 0; c < s[1]; ++c) y[c * s[0] + i] = x[0][i * s[1] + c];
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{1, 3}, {31, 3}, {256, 3}, {1000, 4}, {333, 1}},
    .counted = {4096, 3},
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_stored, 4096 * 3 * 4}, {Count::global_requests, 2 * 4096 * 3 / 32}},
};
const Register registered(__FILE__, exercise);
