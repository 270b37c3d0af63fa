// Mirror an image, left to right, with 16 bytes a lane wherever the rows begin at a multiple of 16 bytes.
//
// y[row][columns - 1 - column] = x[row][column]
//
// A thread has four neighbours of a row. Both arrays begin at a multiple of 256 bytes, and all rows do at one of 16 where `columns` is a multiple
// of four. What to write:
//   - if it is: one float4 from x, and one to y, by a reinterpret_cast of a pointer to the first of the four. What is written should be a
//     variable: a list in braces is assigned member by member, and counted so;
//   - if it is not: up to four floats, one by one;
//   - there may be more threads than the row has elements.
// The idea: docs/ladders/transpose.md, step 6.
#include "exercises/harness/exercise.h"

constexpr int kThreads = 64;

__global__ void mirror(float* y, const float* x, int columns) {
  x += int64_t{blockIdx.y} * columns;  // this block's row
  y += int64_t{blockIdx.y} * columns;
  const int column = 4 * static_cast<int>(blockIdx.x * kThreads + threadIdx.x);  // the first of this thread
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int rows = a.sizes[0], columns = a.sizes[1];
  return gpu::launch<mirror>({.grid = dim3(cover(columns, 4 * kThreads), static_cast<unsigned>(rows)), .block = kThreads}, a.y, a.x[0], columns);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return s; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].size());
  for (int i = 0; i < s[0]; ++i)
    for (int j = 0; j < s[1]; ++j) y[i * s[1] + s[1] - 1 - j] = x[0][i * s[1] + j];
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{2, 256}, {3, 5}, {4, 300}, {2, 257}, {1, 1}},
    .counted = {64, 512},
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, 64 * 512 * 4}, {Count::bytes_stored, 64 * 512 * 4}, {Count::global_requests, 2 * 64 * 512 / (4 * 32)}},
};
const Register registered(__FILE__, exercise);
