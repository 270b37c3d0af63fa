#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/device.h"

namespace tapetum::ladders {
namespace {

void* allocate(size_t bytes) {
  void* p = nullptr;
  return cudaMalloc(&p, bytes) == cudaSuccess ? p : nullptr;
}

bool time(const std::function<bool()>& work, double* milliseconds) {
  cudaEvent_t begin, end;
  float ms = 0;
  bool done = cudaEventCreate(&begin) == cudaSuccess && cudaEventCreate(&end) == cudaSuccess;
  done = done && cudaEventRecord(begin) == cudaSuccess && work() && cudaEventRecord(end) == cudaSuccess;
  done = done && cudaEventSynchronize(end) == cudaSuccess && cudaEventElapsedTime(&ms, begin, end) == cudaSuccess;
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  *milliseconds = ms;
  return done;
}

}  // namespace

extern const Device cuda;
const Device cuda{
    .allocate = allocate,
    .release = [](void* p) { cudaFree(p); },
    .copy = [](void* to, const void* from, size_t bytes) { return cudaMemcpy(to, from, bytes, cudaMemcpyDefault) == cudaSuccess; },
    .finish = [] { return cudaDeviceSynchronize() == cudaSuccess && cudaPeekAtLastError() == cudaSuccess; },
    .last_error = [] { return cudaGetErrorString(cudaGetLastError()); },
    .time = time,
};

}  // namespace tapetum::ladders
