// One block a row: lanes read neighbours. What the threads found is combined by a tree in shared memory, with a barrier at each level.
#include "ladders/softmax/softmax.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256;

// Of all threads of the block, for all of them.
template <class F> __device__ float combine(float* values, float value, F f) {
  const int thread = static_cast<int>(threadIdx.x);
  values[thread] = value;
  __syncthreads();
  for (int half = kThreads / 2; half; half /= 2) {
    if (thread < half) values[thread] = f(values[thread], values[thread + half]);
    __syncthreads();
  }
  const float result = values[0];
  __syncthreads();  // before another call overwrites it
  return result;
}

__global__ void softmax_kernel(float* y, const float* x, int length) {
  x += int64_t{blockIdx.x} * length;
  y += int64_t{blockIdx.x} * length;
  __shared__ float values[kThreads];
  float top = -INFINITY, sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < length; i += kThreads) top = fmaxf(top, x[i]);
  top = combine(values, top, [](float a, float b) { return fmaxf(a, b); });
  for (int i = static_cast<int>(threadIdx.x); i < length; i += kThreads) sum += expf(x[i] - top);
  sum = combine(values, sum, [](float a, float b) { return a + b; });
  for (int i = static_cast<int>(threadIdx.x); i < length; i += kThreads) y[i] = expf(x[i] - top) / sum;
}

cudaError_t launch(float* y, const float* x, int rows, int length) {
  return gpu::launch<softmax_kernel>({.grid = static_cast<unsigned>(rows), .block = kThreads}, y, x, length);
}

const Softmax step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
