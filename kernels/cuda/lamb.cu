// Adam's step, scaled by the ratio of the norms of parameter and update. Four
// launches a chunk of tensors, no round trip to the host: counts; moments, with
// the squares of each block of threads; the ratios, a block a tensor; the
// parameters. The update is worked out twice, which moves no more memory than
// keeping it would: f32 moves 40 bytes an element. Sums are kept in double, in
// an order that depends on the shapes alone. Formulas: kernels/optimizer.h.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/tensor_chunks.cuh"

namespace tapetum::kernels {
namespace {

struct Squares {
  double p, u;
};
__device__ Squares shuffle_xor(Squares s, int bits) { return {shuffle_xor(s.p, bits), shuffle_xor(s.u, bits)}; }
__device__ Squares added(Squares a, Squares b) { return {a.p + b.p, a.u + b.u}; }

template <class T> struct Update {
  T mean, unbias, eps, decay;
  __device__ static Update of(const LambStepArgs& a, double t) {
    return {T(1 / (1 - pow(a.beta1, t))), T(1 / sqrt(1 - pow(a.beta2, t))), T(a.eps), T(a.weight_decay)};
  }
  __device__ T operator()(T p, T m, T v) const { return mean * m / (sqrt(v) * unbias + eps) + decay * p; }
};

template <int n> __global__ void __launch_bounds__(n) lamb_count_kernel(const Chunk<n> GPU_IN_PLACE chunk, const LambStepArgs GPU_IN_PLACE a) {
  if (left_out(a)) return;
  if (threadIdx.x < chunk.tensors) ++*chunk.tensor[threadIdx.x].step;
}

template <class T, int n>
__global__ void __launch_bounds__(kThreads)
    lamb_moments_kernel(const Chunk<n> GPU_IN_PLACE chunk, const LambStepArgs GPU_IN_PLACE a, Squares* parts) {
  using C = Compute<T>;
  if (left_out(a)) return;
  const auto [t, begin, end] = part_of(chunk, blockIdx.x);
  __shared__ Update<C> update;
  if (threadIdx.x == 0) update = Update<C>::of(a, *t.step);
  __syncthreads();
  const C beta1 = C(a.beta1), beta2 = C(a.beta2), rest1 = C(1 - a.beta1), rest2 = C(1 - a.beta2);
  T *m = static_cast<T*>(t.state[0]), *v = static_cast<T*>(t.state[1]);
  Squares squares{};
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    const C p = widen(static_cast<const T*>(t.value)[i]), g = widen(static_cast<const T*>(t.source)[i]);
    m[i] = narrow<T>(beta1 * widen(m[i]) + rest1 * g);
    v[i] = narrow<T>(beta2 * widen(v[i]) + rest2 * g * g);
    const double u = update(p, widen(m[i]), widen(v[i]));  // of what is kept, as the last pass has it
    squares = {squares.p + static_cast<double>(p) * p, squares.u + u * u};
  }
  squares = reduce_block(squares, added);
  if (threadIdx.x == 0) parts[blockIdx.x] = squares;
}

template <int n>
__global__ void __launch_bounds__(kThreads) lamb_ratio_kernel(const Chunk<n> GPU_IN_PLACE chunk, const Squares* parts, double* ratios) {
  Squares squares{};
  for (int64_t b = chunk.first_block[blockIdx.x] + threadIdx.x; b < chunk.first_block[blockIdx.x + 1]; b += kThreads)
    squares = added(squares, parts[b]);
  squares = reduce_block(squares, added);
  if (threadIdx.x == 0) ratios[blockIdx.x] = squares.p > 0 && squares.u > 0 ? sqrt(squares.p / squares.u) : 1;
}

template <class T, int n>
__global__ void __launch_bounds__(kThreads)
    lamb_parameters_kernel(const Chunk<n> GPU_IN_PLACE chunk, const LambStepArgs GPU_IN_PLACE a, const double* ratios) {
  using C = Compute<T>;
  if (left_out(a)) return;
  const auto [t, begin, end] = part_of(chunk, blockIdx.x);
  __shared__ Update<C> update;
  if (threadIdx.x == 0) update = Update<C>::of(a, *t.step);
  __syncthreads();
  const C rate = C(*a.lr * ratios[&t - chunk.tensor]);
  const T *m = static_cast<const T*>(t.state[0]), *v = static_cast<const T*>(t.state[1]);
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    T& p = static_cast<T*>(t.value)[i];
    p = narrow<T>(widen(p) - rate * update(widen(p), widen(m[i]), widen(v[i])));
  }
}

// Of one chunk, whose launches are done in order before the next chunk's: all use the same workspace.
int64_t most_blocks(const LambStepArgs& a) {
  int64_t most = 0;
  for_each_chunk(a, [&](const auto& chunk) {
    most = blocks_of(chunk) > most ? blocks_of(chunk) : most;
    return Status::ok;
  });
  return most;
}
size_t workspace(const LambStepArgs& a) { return static_cast<size_t>(most_blocks(a)) * sizeof(Squares) + kMany * sizeof(double); }

template <class T, int n> Status run_chunk(const Chunk<n>& chunk, const LambStepArgs& a, Squares* parts, double* ratios, cudaStream_t stream) {
  Status s = status_of(gpu::launch<lamb_count_kernel<n>>({.grid = 1, .block = n, .stream = stream}, chunk, a));
  if (s != Status::ok || blocks_of(chunk) == 0) return s;
  const gpu::Launch all{.grid = dim3(blocks_of(chunk)), .block = kThreads, .stream = stream};
  const gpu::Launch tensors{.grid = dim3(static_cast<unsigned>(chunk.tensors)), .block = kThreads, .stream = stream};
  if (s = status_of(gpu::launch<lamb_moments_kernel<T, n>>(all, chunk, a, parts)); s != Status::ok) return s;
  if (s = status_of(gpu::launch<lamb_ratio_kernel<n>>(tensors, chunk, parts, ratios)); s != Status::ok) return s;
  return status_of(gpu::launch<lamb_parameters_kernel<T, n>>(all, chunk, a, ratios));
}

Status lamb(const LambStepArgs& a, Workspace& w) {
  double* ratios = static_cast<double*>(w.data);
  Squares* parts = reinterpret_cast<Squares*>(ratios + kMany);
  return with_floating_type(a.shape.dtype, [&]<class T>() {
    return for_each_chunk(a, [&](const auto& chunk) { return run_chunk<T>(chunk, a, parts, ratios, stream_of(w)); });
  });
}

bool supports(const LambStepArgs& a) { return is_floating(a.shape.dtype); }
double error(const LambStepArgs&) { return 32; }

}  // namespace

TAPETUM_CANDIDATE(LambStepArgs, lamb_step_cuda){.name = "chunks", .supports = supports, .workspace = workspace, .error = error, .run = lamb};

}  // namespace tapetum::kernels
