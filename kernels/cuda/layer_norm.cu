// Layer norm. A warp takes a row and reads it three times, once from memory:
// mean, deviations (a sum of squares would cancel where the mean is far from
// zero), result. The gradients of weight and bias are sums over the rows of a
// second reading. Moments and sums of 16-bit rows are in float.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/channel_tiles.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/norm.h"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args& a) { return is_floating(a.shape.dtype); }
double error_forward(const LayerNormForwardArgs& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.columns)); }
double error_backward(const LayerNormBackwardArgs& a) { return 16 + __builtin_sqrt(static_cast<double>(a.shape.columns + a.shape.rows)); }

template <class C> struct Moments { C mean, rstd; };

// f(column) for those of this lane.
template <class F> __device__ void for_each_column(int64_t columns, F f) {
  for (int64_t i = threadIdx.x % kWarp; i < columns; i += kWarp) f(i);
}

template <class T> __device__ Moments<Compute<T>> moments_of(const T* x, int64_t columns, double eps) {
  using C = Compute<T>;
  C sum = 0, squares = 0;
  for_each_column(columns, [&](int64_t i) { sum += widen(x[i]); });
  const C mean = sum_lanes(sum) / static_cast<C>(columns);
  for_each_column(columns, [&](int64_t i) {
    const C d = widen(x[i]) - mean;
    squares += d * d;
  });
  const double var = static_cast<double>(sum_lanes(squares)) / static_cast<double>(columns);
  return {mean, static_cast<C>(1 / sqrt(var + eps))};
}

// Of a weight or bias that may be absent.
template <class T> __device__ Compute<T> element_or(const T* p, int64_t i, int absent) { return p ? widen(p[i]) : static_cast<Compute<T>>(absent); }

template <class T> __global__ void __launch_bounds__(kThreads) layer_norm_forward_kernel(LayerNormForwardArgs a) {
  const int64_t row = thread_number() / kWarp;
  if (row >= a.shape.rows) return;
  const T* x = static_cast<const T*>(a.x) + row * a.shape.columns;
  T* y = static_cast<T*>(a.y) + row * a.shape.columns;
  const T *weight = static_cast<const T*>(a.weight), *bias = static_cast<const T*>(a.bias);
  const auto m = moments_of(x, a.shape.columns, a.eps);
  for_each_column(a.shape.columns, [&](int64_t i) {
    const auto h = (widen(x[i]) - m.mean) * m.rstd;
    y[i] = narrow<T>(h * element_or(weight, i, 1) + element_or(bias, i, 0));
  });
}

Status forward(const LayerNormForwardArgs& a, Workspace& w) {
  if (a.shape.rows * a.shape.columns == 0) return Status::ok;
  return status_of(with_floating_type(
      a.shape.dtype, [&]<class T>() { return gpu::launch<layer_norm_forward_kernel<T>>(launch_threads(a.shape.rows, w, kWarp), a); }));
}

// gx (formula: reference), and the row's moments for the sums over rows.
template <class T> __global__ void __launch_bounds__(kThreads) layer_norm_rows_kernel(LayerNormBackwardArgs a, Moments<Compute<T>>* moments) {
  using C = Compute<T>;
  const int64_t row = thread_number() / kWarp, columns = a.shape.columns;
  if (row >= a.shape.rows) return;
  const T *x = static_cast<const T*>(a.x) + row * columns, *gy = static_cast<const T*>(a.gy) + row * columns;
  const T* weight = static_cast<const T*>(a.weight);
  const auto m = moments_of(x, columns, a.eps);
  if (threadIdx.x % kWarp == 0) moments[row] = m;
  if (!a.gx) return;
  C sum_g = 0, sum_gh = 0;
  for_each_column(columns, [&](int64_t i) {
    const C g = widen(gy[i]) * element_or(weight, i, 1);
    sum_g += g;
    sum_gh += g * (widen(x[i]) - m.mean) * m.rstd;
  });
  const C mean_g = sum_lanes(sum_g) / static_cast<C>(columns), mean_gh = sum_lanes(sum_gh) / static_cast<C>(columns);
  T* gx = static_cast<T*>(a.gx) + row * columns;
  for_each_column(columns, [&](int64_t i) {
    const C g = widen(gy[i]) * element_or(weight, i, 1);
    gx[i] = narrow<T>(m.rstd * (g - mean_g - (widen(x[i]) - m.mean) * m.rstd * mean_gh));
  });
}

// A column is a channel, a row a position: sums of gy h and of gy.
template <class T>
__global__ void __launch_bounds__(kThreads)
    layer_norm_columns_kernel(ChannelTiles tiles, LayerNormBackwardArgs a, const Moments<Compute<T>>* moments, Sums<2>* parts) {
  const TileThread thread(tiles);
  Compute<T> gweight = 0, gbias = 0;
  thread.for_each(tiles, [&](int64_t at, int64_t row) {
    const Compute<T> g = widen(static_cast<const T*>(a.gy)[at]);
    gweight += g * (widen(static_cast<const T*>(a.x)[at]) - moments[row].mean) * moments[row].rstd;
    gbias += g;
  });
  const Sums<2> sums = thread.sum(Sums<2>{gweight, gbias});
  if (thread.is_first()) parts[tiles.part_index(0, thread.part, thread.channel)] = sums;
}

// A warp for each column.
template <class T>
__global__ void __launch_bounds__(kThreads) layer_norm_weight_kernel(ChannelTiles tiles, LayerNormBackwardArgs a, const Sums<2>* parts) {
  const int64_t column = thread_number() / kWarp;
  if (column >= tiles.channels) return;
  const Sums<2> total = sum_parts(tiles, parts, 0, column);
  if (threadIdx.x % kWarp) return;
  if (a.gweight) static_cast<T*>(a.gweight)[column] = narrow<T>(static_cast<Compute<T>>(total.of[0]));
  if (a.gbias) static_cast<T*>(a.gbias)[column] = narrow<T>(static_cast<Compute<T>>(total.of[1]));
}

ChannelTiles tiles_of(const LayerNormShape& s) { return ChannelTiles(1, s.rows, s.columns, 1, true); }

// The parts' sums, then the rows' moments.
size_t workspace(const LayerNormBackwardArgs& a) {
  const auto rows = static_cast<size_t>(a.shape.rows);
  return static_cast<size_t>(tiles_of(a.shape).part_count()) * sizeof(Sums<2>) +
         rows * (a.shape.dtype == DType::f64 ? sizeof(Moments<double>) : sizeof(Moments<float>));
}

template <class T> cudaError_t launch_backward(const LayerNormBackwardArgs& a, const Workspace& w) {
  const ChannelTiles tiles = tiles_of(a.shape);
  auto* parts = static_cast<Sums<2>*>(w.data);
  auto* moments = reinterpret_cast<Moments<Compute<T>>*>(parts + tiles.part_count());
  const bool weights = a.gweight || a.gbias;
  cudaError_t error = cudaSuccess;
  if (a.shape.rows) error = gpu::launch<layer_norm_rows_kernel<T>>(launch_threads(a.shape.rows, w, kWarp), a, moments);
  if (error == cudaSuccess && weights && a.shape.rows)
    error = gpu::launch<layer_norm_columns_kernel<T>>(launch_tiles(tiles, w), tiles, a, moments, parts);
  if (error == cudaSuccess && weights) error = gpu::launch<layer_norm_weight_kernel<T>>(launch_threads(a.shape.columns, w, kWarp), tiles, a, parts);
  return error;
}

Status backward(const LayerNormBackwardArgs& a, Workspace& w) {
  if (a.shape.columns == 0) return Status::ok;
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return launch_backward<T>(a, w); }));
}

}  // namespace

TAPETUM_CANDIDATE(LayerNormForwardArgs, layer_norm_forward_cuda){.name = "warps", .supports = supports, .error = error_forward, .run = forward};
TAPETUM_CANDIDATE(LayerNormBackwardArgs, layer_norm_backward_cuda){
    .name = "warps", .supports = supports, .workspace = workspace, .error = error_backward, .run = backward};

}  // namespace tapetum::kernels
