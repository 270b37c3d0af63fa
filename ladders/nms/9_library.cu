// The library's, for any classes and order: chunks of 2048 boxes, so that its mask grows with n; those behind a chunk meet what it kept.
#include "kernels/boxes.h"
#include "ladders/nms/nms.h"

namespace tapetum::ladders {
namespace {

constexpr int kThreads = 256;

// It takes boxes in any order, and lists those that stay.
__global__ void order_kernel(float* kept, int64_t* order, int n) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (i < n) kept[i] = 0, order[i] = i;
}
__global__ void mark_kernel(float* kept, const int64_t* places, const int64_t* found) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (i < *found) kept[places[i]] = 1;
}

cudaError_t launch(float* kept, Word* mask, const float4* boxes, int n) {
  int64_t* order = reinterpret_cast<int64_t*>(mask);
  const gpu::Launch all{.grid = cover(n, kThreads), .block = kThreads};
  const kernels::NmsArgs args{n, DType::f32, 0.5, boxes, order, nullptr, order + n, order + 2 * n};
  if (const cudaError_t error = gpu::launch<order_kernel>(all, kept, order, n); error != cudaSuccess) return error;
  if (kernels::nms_forward.run({DeviceKind::cuda, nullptr}, args) != kernels::Status::ok) return cudaErrorLaunchFailure;
  return gpu::launch<mark_kernel>(all, kept, args.kept, args.found);
}

const Nms step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
