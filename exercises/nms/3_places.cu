// The places of the values that stay, in order (a compaction): all lanes find at once which do, a bit each, and count bits of whole words.
//
// y[row][0], y[row][1], ... = the indices of those values of x[row] that are positive, from the lowest on; -1 in the rest of y[row].
//
// A block has a row of at most kThreads values, one for each thread. What to write:
//   - a word of each warp by __ballot_sync, to which all lanes come, and these words in shared memory;
//   - how many positive values lie before this thread's: bits of its own word (__popc), and of the words before;
//   - what is left of the row.
// The idea: docs/ladders/nms.md, step 3: the list of the boxes that stay is made so.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

__global__ void places(float* y, const float* x, int length) {
  x += int64_t{blockIdx.x} * length;  // this block's row
  y += int64_t{blockIdx.x} * length;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp, warp = thread / kWarp;
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  return gpu::launch<places>({.grid = static_cast<unsigned>(a.sizes[0]), .block = kThreads}, a.y, a.x[0], a.sizes[1]);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return s; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].size(), -1);
  for (int i = 0; i < s[0]; ++i)
    for (int j = 0, place = 0; j < s[1]; ++j)
      if (x[0][i * s[1] + j] > 0) y[i * s[1] + place++] = j;
  return y;
}

constexpr int kRequests = 32 * kWarps * (1 + kWarps);  // a warp leaves its word, and reads all of them
const Exercise exercise{
    .launch = launch,
    .tested = {{2, 256}, {3, 33}, {5, 7}, {4, 255}, {2, 1}},
    .counted = {32, kThreads},
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::barriers, 32 * kWarps},
               {Count::shared_requests, kRequests},
               {Count::shuffles, 0},
               {Count::atomics_in_turn, 0},
               {Count::bytes_loaded, 4 * 32 * kThreads}},
};
const Register registered(__FILE__, exercise);
