// Find where the largest value of each row is (argmax): a block for each row, and a tree in shared memory.
//
// y[row] = the index within its row of the largest x[row][...], as a float. No two values of a row are equal.
//
// What to write:
//   - each of the kThreads threads finds the largest of its share of the row, and where it is: threads side by side read neighbours;
//   - the block finds the largest of these in shared memory, half of them at each level; the length of a row may be less than kThreads, or more.
// The idea: docs/ladders/softmax.md, step 2, with the tree of docs/ladders/reduction.md, step 4.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 256;

__global__ void largest(float* y, const float* x, int length) {
  x += int64_t{blockIdx.x} * length;  // this block's row
  const int thread = static_cast<int>(threadIdx.x);
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  return gpu::launch<largest>({.grid = static_cast<unsigned>(a.sizes[0]), .block = kThreads}, a.y, a.x[0], a.sizes[1]);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return Sizes{s[0]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(s[0]);
  for (int i = 0; i < s[0]; ++i)
    for (int j = 1; j < s[1]; ++j)
      if (x[0][i * s[1] + j] > x[0][i * s[1] + static_cast<int>(y[i])]) y[i] = j;
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{3, 256}, {5, 3}, {4, 257}, {2, 1000}, {7, 1}},
    .counted = {16, 1024},
    .low = -2,
    .high = -1,
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, 16 * 1024 * 4}, {Count::bank_conflicts, 0}, {Count::barriers, 16 * 8 * 9}},
};
const Register registered(__FILE__, exercise);
