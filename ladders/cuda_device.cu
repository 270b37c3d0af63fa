#include "kernels/cuda/gpu/properties.cuh"
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

const char* last_error() {
  const char* words = gpu::last_error();
  cudaGetLastError();
  return words;
}

// CUDA programming guide, arithmetic instructions: 64 lanes of a multiprocessor of 8.0 multiply and add in a cycle, 128 of later ones.
double flops() {
  const gpu::Properties gpu = gpu::properties();
  return 2.0 * (gpu.capability > 80 ? 128 : 64) * gpu.multiprocessors * gpu.clock;
}

}  // namespace

extern const Device cuda;
const Device cuda{
    .allocate = allocate,
    .release = [](void* p) { cudaFree(p); },
    .copy = [](void* to, const void* from, size_t bytes) { return cudaMemcpy(to, from, bytes, cudaMemcpyDefault) == cudaSuccess; },
    .finish = [] { return cudaDeviceSynchronize() == cudaSuccess && cudaPeekAtLastError() == cudaSuccess; },
    .last_error = last_error,
    .time = time,
    .flops = flops,
};

}  // namespace tapetum::ladders
