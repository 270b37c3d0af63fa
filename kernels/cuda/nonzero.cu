// Places of what is not zero, in row-major order: each block of threads counts its piece of x, one block turns the counts into the pieces'
// first rows, and each block writes its rows from there. Reads x twice and writes 8 bytes for each dimension of each place.
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/index.h"

namespace tapetum::kernels {
namespace {

constexpr int kRounds = 8, kPiece = kThreads * kRounds;  // elements of a piece, taken kThreads at a time

template <class T> __device__ bool is_nonzero(const NonzeroArgs& a, int64_t i) {
  return i < a.shape.count && cast<bool>(static_cast<const T*>(a.x)[i]);
}

template <class T> __global__ void __launch_bounds__(kThreads) nonzero_count_kernel(NonzeroArgs a, int64_t* counts) {
  int64_t found = 0;
  for (int round = 0; round < kRounds; ++round)
    found += __syncthreads_count(is_nonzero<T>(a, blockIdx.x * int64_t{kPiece} + round * kThreads + threadIdx.x));
  if (threadIdx.x == 0) counts[blockIdx.x] = found;
}

// counts[piece] becomes the sum of the counts before it, counts[pieces] that of all.
__global__ void __launch_bounds__(kThreads) nonzero_scan_kernel(int64_t* counts, int64_t pieces) {
  int64_t carried = 0, total;
  for (int64_t first = 0; first < pieces; first += kThreads, carried += total) {
    const int64_t piece = first + threadIdx.x;
    const int64_t before = sum_before<int64_t>(piece < pieces ? counts[piece] : 0, total);
    if (piece < pieces) counts[piece] = carried + before;
  }
  if (threadIdx.x == 0) counts[pieces] = carried;
}

template <class T> __global__ void __launch_bounds__(kThreads) nonzero_write_kernel(NonzeroArgs a, const int64_t* first_row) {
  const auto& s = a.shape;
  int64_t row = first_row[blockIdx.x], total;
  for (int round = 0; round < kRounds; ++round, row += total) {
    int64_t rest = blockIdx.x * int64_t{kPiece} + round * kThreads + threadIdx.x;
    const bool found = is_nonzero<T>(a, rest);
    int64_t* place = a.indices + (row + sum_before<int64_t>(found, total)) * s.dims;
    for (int64_t d = s.dims - 1; d >= 0 && found; rest /= s.size[d], --d) place[d] = rest % s.size[d];
  }
}

int64_t pieces_of(const NonzeroArgs& a) { return blocks_for(a.shape.count, kPiece); }
size_t workspace(const NonzeroArgs& a) { return static_cast<size_t>(pieces_of(a) + 1) * sizeof(int64_t); }

template <class T> cudaError_t launch(const NonzeroArgs& a, int64_t* counts, cudaStream_t stream) {
  const gpu::Launch pieces{.grid = dim3(static_cast<unsigned>(pieces_of(a))), .block = kThreads, .stream = stream};
  const gpu::Launch one{.grid = 1, .block = kThreads, .stream = stream};
  cudaError_t e = gpu::launch<nonzero_count_kernel<T>>(pieces, a, counts);
  if (e == cudaSuccess) e = gpu::launch<nonzero_scan_kernel>(one, counts, pieces_of(a));
  return e != cudaSuccess || !a.indices ? e : gpu::launch<nonzero_write_kernel<T>>(pieces, a, counts);
}

// The number found goes to the host, where the caller waits for it.
Status nonzero(const NonzeroArgs& a, Workspace& w) {
  *a.found = 0;
  if (a.shape.count == 0) return Status::ok;
  auto* counts = static_cast<int64_t*>(w.data);
  const cudaStream_t stream = stream_of(w);
  cudaError_t e = with_type(a.shape.dtype, [&]<class T>() { return launch<T>(a, counts, stream); });
  if (e == cudaSuccess) e = cudaMemcpyAsync(a.found, counts + pieces_of(a), sizeof *a.found, cudaMemcpyDeviceToHost, stream);
  if (e == cudaSuccess) e = cudaStreamSynchronize(stream);
  return status_of(e);
}

bool supports(const NonzeroArgs&) { return true; }

}  // namespace

TAPETUM_CANDIDATE(NonzeroArgs, nonzero_cuda){.name = "pieces", .supports = supports, .workspace = workspace, .run = nonzero};

}  // namespace tapetum::kernels
