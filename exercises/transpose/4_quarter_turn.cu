// Turn images by 90 degrees through shared memory, with whole lines on both sides of global memory and without a bank conflict.
//
// x holds `images` images of `rows` x `columns`, one behind the other. The upper left corner of each becomes the upper right one in y,
// whose images have `columns` rows of `rows` elements: y[image][column][rows - 1 - row] = x[image][row][column].
//
// A block of 32 x 32 threads carries a tile of 32 x 32 elements. What to write:
//   - the tile, in shared memory;
//   - a warp (32 threads with the same threadIdx.y) reads 32 neighbours of x, and writes 32 neighbours of y;
//   - rows and columns need not be multiples of 32.
// The idea: docs/ladders/transpose.md, steps 3 and 4.
#include "exercises/harness/exercise.h"

constexpr int kTile = 32;

__global__ void quarter_turn(float* y, const float* x, int rows, int columns) {
  x += int64_t{blockIdx.z} * rows * columns;  // this block's image
  y += int64_t{blockIdx.z} * rows * columns;
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const int top = static_cast<int>(blockIdx.y) * kTile, left = static_cast<int>(blockIdx.x) * kTile;  // of the tile, in x
  // Your code begins here.
  // Your code ends here.
}

// How it is launched, what it has to compute, and what that may cost.
cudaError_t launch(const Arrays& a) {
  const int images = a.sizes[0], rows = a.sizes[1], columns = a.sizes[2];
  const dim3 grid(cover(columns, kTile), cover(rows, kTile), static_cast<unsigned>(images));
  return gpu::launch<quarter_turn>({.grid = grid, .block = dim3(kTile, kTile)}, a.y, a.x[0], rows, columns);
}
Shapes inputs(const Sizes& s) { return Shapes{s}; }
Sizes output(const Sizes& s) { return Sizes{s[0], s[2], s[1]}; }
std::vector<double> reference(const Sizes& s, const Inputs& x) {
  std::vector<double> y(x[0].size());
  for (int image = 0; image < s[0]; ++image)
    for (int i = 0; i < s[1]; ++i)
      for (int j = 0; j < s[2]; ++j) y[(image * s[2] + j) * s[1] + s[1] - 1 - i] = x[0][(image * s[1] + i) * s[2] + j];
  return y;
}

const Exercise exercise{
    .launch = launch,
    .tested = {{1, 32, 32}, {1, 3, 5}, {2, 33, 31}, {1, 70, 20}, {3, 20, 100}},
    .counted = {1, 256, 256},
    .inputs = inputs,
    .output = output,
    .reference = reference,
    .limits = {{Count::bytes_loaded, 256 * 256 * 4}, {Count::bytes_stored, 256 * 256 * 4}, {Count::bank_conflicts, 0}},
};
const Register registered(__FILE__, exercise);
