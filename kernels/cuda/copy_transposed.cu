// Transposes: a block carries a tile through shared memory, so that both sides of global memory are whole sectors (Ruetsch, Micikevicius:
// Optimizing Matrix Transpose in CUDA, 2009; docs/ladders/transpose.md tells it step by step).
#include "kernels/cuda/launch.cuh"
#include "kernels/round.h"
#include "kernels/transposed.h"

namespace tapetum::kernels {
namespace {

constexpr int kTile = 32, kThreadRows = kThreads / kTile;

// T: any type of the elements' size. Rows of the tile begin in different banks.
template <class T> __global__ void __launch_bounds__(kThreads) copy_transposed_kernel(Transposes t, T* y, const T* x) {
  constexpr int kPadding = sizeof(T) < 4 ? 4 / sizeof(T) : 1;
  __shared__ T tile[kTile][kTile + kPadding];
  const int tx = static_cast<int>(threadIdx.x) % kTile, ty = static_cast<int>(threadIdx.x) / kTile;
  const int64_t across = ceil_div(t.columns, kTile), per_plane = across * ceil_div(t.rows, kTile);
  const int64_t number = blockIdx.x % per_plane, top = number / across * kTile, left = number % across * kTile;
  const auto o = offsets_of(t.of_plane, blockIdx.x / per_plane, t.of_plane.ndim);
#pragma unroll
  for (int r = ty; r < kTile; r += kThreadRows)
    if (top + r < t.rows && left + tx < t.columns) tile[r][tx] = x[o.at[1] + (top + r) * t.x_stride + left + tx];
  __syncthreads();
#pragma unroll
  for (int r = ty; r < kTile; r += kThreadRows)
    if (left + r < t.columns && top + tx < t.rows) y[o.at[0] + (left + r) * t.y_stride + top + tx] = tile[tx][r];
}

bool supports(const ElementwiseArgs& a) { return Transposes(a).rows > 0; }
bool prefers(const ElementwiseArgs& a) { return Transposes(a).worthwhile(); }

template <class T> cudaError_t copy(const ElementwiseArgs& a, Workspace& w) {
  const Transposes t(a);
  const auto blocks = static_cast<unsigned>(t.planes * ceil_div(t.rows, kTile) * ceil_div(t.columns, kTile));
  return gpu::launch<copy_transposed_kernel<T>>({.grid = blocks, .block = kThreads, .stream = stream_of(w)}, t, static_cast<T*>(a.y),
                                                static_cast<const T*>(a.x[0]));
}

Status run(const ElementwiseArgs& a, Workspace& w) {
  switch (size_of(a.dtype[0])) {
    case 1:
      return status_of(copy<uint8_t>(a, w));
    case 2:
      return status_of(copy<uint16_t>(a, w));
    case 4:
      return status_of(copy<uint32_t>(a, w));
    default:
      return status_of(copy<uint64_t>(a, w));
  }
}

}  // namespace

TAPETUM_CANDIDATE(ElementwiseArgs, copy_forward_transposed_cuda){.name = "transposed", .supports = supports, .prefers = prefers, .run = run};

}  // namespace tapetum::kernels
