// Batch, group and instance norm. Statistics are summed around a value near the
// mean and merged in double; y and gx are affine maps of each channel, whose
// coefficients each thread computes in double. Memory bound: the moments read
// x, forward reads x and writes y, backward reads x and gy twice and writes gx.
// An activation of y adds nothing to that: backward finds from x what it was
// applied to.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/channel_tiles.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/norm.h"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args& a) { return is_floating(a.shape.dtype); }
double error_moments(const ChannelMomentsArgs&) { return 16; }
double error_forward(const ChannelNormForwardArgs& a) { return a.activation == ConvActivation::silu ? 16 : 8; }
double error_backward(const ChannelNormBackwardArgs& a) { return a.activation == ConvActivation::silu ? 128 : 64; }

ChannelTiles tiles_of(const ChannelNormShape& z) { return ChannelTiles(z.sets, z.n, z.c, z.l, z.channels_last); }
int64_t statistics_of(const ChannelNormShape& z) { return z.sets * (z.c / z.group); }

struct Moments {
  double mean, m2;  // m2: sum of squared deviations
};

template <class T> __global__ void __launch_bounds__(kThreads) channel_moments_kernel(ChannelTiles tiles, const T* x, Moments* parts) {
  const TileThread thread(tiles);
  using C = Compute<T>;
  const C shift = thread.inside ? widen(x[thread.offset(tiles, thread.part * tiles.part_length)]) : C(0);
  C sum = 0, squares = 0;
  thread.for_each(tiles, [&](int64_t at, int64_t) {
    const C d = widen(x[at]) - shift;
    sum += d;
    squares += d * d;
  });
  const Sums<2> s = thread.sum(Sums<2>{sum, squares});
  if (!thread.is_first()) return;
  const double count = static_cast<double>(tiles.part_size(thread.part));
  parts[tiles.part_index(thread.set, thread.part, thread.channel)] = {shift + s.of[0] / count, s.of[1] - s.of[0] * s.of[0] / count};
}

// A warp for each statistic: the mean of its parts' means, then their
// deviations from it.
__global__ void __launch_bounds__(kThreads) channel_moments_total_kernel(ChannelTiles tiles, ChannelMomentsArgs a, const Moments* parts) {
  const int64_t groups = tiles.channels / a.shape.group, i = thread_number() / kWarp;
  if (i >= tiles.sets * groups) return;
  const auto for_each_part = [&](auto f) {
    for (int64_t k = threadIdx.x % kWarp; k < tiles.parts * a.shape.group; k += kWarp) {
      const int64_t part = k / a.shape.group, channel = i % groups * a.shape.group + k % a.shape.group;
      f(static_cast<double>(tiles.part_size(part)), parts[tiles.part_index(i / groups, part, channel)]);
    }
  };
  const int64_t values = tiles.positions * a.shape.group;
  const double count = static_cast<double>(values ? values : 1);
  double mean = 0, m2 = 0;
  for_each_part([&](double size, const Moments& m) { mean += size * m.mean; });
  mean = sum_lanes(mean) / count;
  for_each_part([&](double size, const Moments& m) { m2 += m.m2 + size * (m.mean - mean) * (m.mean - mean); });
  m2 = sum_lanes(m2);
  if (threadIdx.x % kWarp) return;
  a.mean[i] = mean;
  a.var[i] = m2 / count;
}

size_t workspace_moments(const ChannelMomentsArgs& a) { return static_cast<size_t>(tiles_of(a.shape).part_count()) * sizeof(Moments); }

template <class T> cudaError_t launch_moments(const ChannelMomentsArgs& a, const Workspace& w) {
  const ChannelTiles tiles = tiles_of(a.shape);
  auto* parts = static_cast<Moments*>(w.data);
  cudaError_t error = cudaSuccess;
  if (tiles.part_count()) error = gpu::launch<channel_moments_kernel<T>>(launch_tiles(tiles, w), tiles, static_cast<const T*>(a.x), parts);
  return error == cudaSuccess ? gpu::launch<channel_moments_total_kernel>(launch_threads(statistics_of(a.shape), w, kWarp), tiles, a, parts) : error;
}

Status moments(const ChannelMomentsArgs& a, Workspace& w) {
  if (statistics_of(a.shape) == 0) return Status::ok;
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return launch_moments<T>(a, w); }));
}

// Of a channel: index of its statistics, mean, 1 / deviation, weight.
struct Channel {
  int64_t statistic;
  double mean, rstd, weight;
};
template <class Args> __device__ Channel channel_of(const Args& a, int64_t set, int64_t c) {
  const int64_t i = (set * a.shape.c + c) / a.shape.group;
  return {i, a.mean[i], 1 / sqrt(a.var[i] + a.eps), a.weight ? read<double>(a.weight, a.shape.parameters, c) : 1.0};
}

// What an activation is applied to, z = (x - shift) scale + offset for each
// channel of a set. Backward needs the bits that forward had.
template <class C> struct Affine {
  C shift, scale, offset;
  template <class Args> __device__ Affine(const Args& a, const Channel& of, int64_t c) {
    const double factor = of.weight * of.rstd, bias = a.bias ? read<double>(a.bias, a.shape.parameters, c) : 0.0;
    shift = static_cast<C>(of.mean);
    scale = static_cast<C>(factor);
    offset = static_cast<C>(bias + (shift - of.mean) * factor);
  }
  __device__ C operator()(C d) const { return d * scale + offset; }  // d: x - shift
};

template <class T, ConvActivation A>
__global__ void __launch_bounds__(kThreads) channel_norm_forward_kernel(ChannelTiles tiles, ChannelNormForwardArgs a) {
  const TileThread thread(tiles);
  if (!thread.inside) return;
  const Affine<Compute<T>> map(a, channel_of(a, thread.set, thread.channel), thread.channel);
  const T* x = static_cast<const T*>(a.x);
  thread.for_each(tiles, [&](int64_t at, int64_t) { static_cast<T*>(a.y)[at] = narrow<T>(activate<A>(map(widen(x[at]) - map.shift))); });
}

// f.template operator()<T, A>() for a call's dtype and activation.
template <class Args, class F> auto with_instance(const Args& a, F f) {
  return with_floating_type(
      a.shape.dtype, [&]<class T>() { return with_activation(a.activation, [&]<ConvActivation A>() { return f.template operator()<T, A>(); }); });
}

Status forward(const ChannelNormForwardArgs& a, Workspace& w) {
  const ChannelTiles tiles = tiles_of(a.shape);
  if (tiles.part_count() == 0) return Status::ok;
  return status_of(with_instance(
      a, [&]<class T, ConvActivation A>() { return gpu::launch<channel_norm_forward_kernel<T, A>>(launch_tiles(tiles, w), tiles, a); }));
}

// Backward needs sums of g, the gradient before the activation, and of
// g (x - mean): for each part, for each channel of a set, and weighted over the
// channels of a statistic.
struct GradientSums {
  Sums<2>*parts, *channels, *statistics;

  GradientSums(void* data, const ChannelTiles& tiles) : parts(static_cast<Sums<2>*>(data)) {
    channels = parts + tiles.part_count();
    statistics = channels + tiles.sets * tiles.channels;
  }
};
size_t workspace_backward(const ChannelNormBackwardArgs& a) {
  const auto& z = a.shape;
  return static_cast<size_t>(tiles_of(z).part_count() + z.sets * z.c + statistics_of(z)) * sizeof(Sums<2>);
}

template <class T, ConvActivation A>
__global__ void __launch_bounds__(kThreads) channel_norm_sums_kernel(ChannelTiles tiles, ChannelNormBackwardArgs a, GradientSums sums) {
  const TileThread thread(tiles);
  const int64_t channel = thread.inside ? thread.channel : 0;
  const Channel c = channel_of(a, thread.set, channel);
  using C = Compute<T>;
  const Affine<C> map(a, c, channel);
  C sum = 0, product = 0;
  thread.for_each(tiles, [&](int64_t at, int64_t) {
    const C d = widen(static_cast<const T*>(a.x)[at]) - map.shift;
    const C g = activation_gradient<A>(map(d), widen(static_cast<const T*>(a.gy)[at]));
    sum += g;
    product += g * d;
  });
  const Sums<2> s = thread.sum(Sums<2>{sum, product});
  if (thread.is_first()) sums.parts[tiles.part_index(thread.set, thread.part, thread.channel)] = {s.of[0], s.of[1] + (map.shift - c.mean) * s.of[0]};
}

// A warp for each channel of each set.
__global__ void __launch_bounds__(kThreads) channel_norm_channels_kernel(ChannelTiles tiles, GradientSums sums) {
  const int64_t i = thread_number() / kWarp;
  if (i >= tiles.sets * tiles.channels) return;
  const Sums<2> total = sum_parts(tiles, sums.parts, i / tiles.channels, i % tiles.channels);
  if (threadIdx.x % kWarp == 0) sums.channels[i] = total;
}

// A thread for each channel adds up its sets.
__global__ void __launch_bounds__(kThreads) channel_norm_weight_kernel(ChannelNormBackwardArgs a, GradientSums sums) {
  const int64_t c = thread_number();
  if (c >= a.shape.c) return;
  double gweight = 0, gbias = 0;
  for (int64_t set = 0; set < a.shape.sets; ++set) {
    const Sums<2> s = sums.channels[set * a.shape.c + c];
    gbias += s.of[0];
    gweight += s.of[1] * channel_of(a, set, c).rstd;
  }
  if (a.gweight) write(a.gweight, a.shape.parameters, c, gweight);
  if (a.gbias) write(a.gbias, a.shape.parameters, c, gbias);
}

// A thread for each statistic adds up its channels.
__global__ void __launch_bounds__(kThreads) channel_norm_statistics_kernel(ChannelNormBackwardArgs a, GradientSums sums, int64_t count) {
  const int64_t i = thread_number();
  if (i >= count) return;
  Sums<2> total{};
  for (int64_t k = i * a.shape.group; k < (i + 1) * a.shape.group; ++k) {
    const double weight = a.weight ? read<double>(a.weight, a.shape.parameters, k % a.shape.c) : 1.0;
    for (int j = 0; j < 2; ++j) total.of[j] += weight * sums.channels[k].of[j];
  }
  sums.statistics[i] = total;
}

// gx = scale g + slope (x - shift) + rest for each channel of a set (formula:
// reference).
template <class T, ConvActivation A>
__global__ void __launch_bounds__(kThreads) channel_norm_backward_kernel(ChannelTiles tiles, ChannelNormBackwardArgs a, GradientSums sums) {
  const TileThread thread(tiles);
  if (!thread.inside) return;
  const Channel c = channel_of(a, thread.set, thread.channel);
  const Sums<2> total = a.fixed ? Sums<2>{} : sums.statistics[c.statistic];
  const double values = static_cast<double>(tiles.positions * a.shape.group), along = -c.rstd * c.rstd * c.rstd * total.of[1] / values;
  using C = Compute<T>;
  const Affine<C> map(a, c, thread.channel);
  const C slope = static_cast<C>(along), rest = static_cast<C>(along * (map.shift - c.mean) - c.rstd * total.of[0] / values);
  const T *x = static_cast<const T*>(a.x), *gy = static_cast<const T*>(a.gy);
  thread.for_each(tiles, [&](int64_t at, int64_t) {
    const C d = widen(x[at]) - map.shift, g = activation_gradient<A>(map(d), widen(gy[at]));
    static_cast<T*>(a.gx)[at] = narrow<T>(g * map.scale + (d * slope + rest));
  });
}

template <class T, ConvActivation A>
cudaError_t launch_sums(const ChannelTiles& tiles, const ChannelNormBackwardArgs& a, const GradientSums& sums, const Workspace& w) {
  cudaError_t error = cudaSuccess;
  if (tiles.part_count()) error = gpu::launch<channel_norm_sums_kernel<T, A>>(launch_tiles(tiles, w), tiles, a, sums);
  return error == cudaSuccess ? gpu::launch<channel_norm_channels_kernel>(launch_threads(tiles.sets * tiles.channels, w, kWarp), tiles, sums) : error;
}

template <class T, ConvActivation A> cudaError_t launch_backward(const ChannelNormBackwardArgs& a, const Workspace& w) {
  const ChannelTiles tiles = tiles_of(a.shape);
  const GradientSums sums(w.data, tiles);
  const int64_t statistics = statistics_of(a.shape);
  const bool weights = a.gweight || a.gbias, gx = a.gx && tiles.part_count();
  cudaError_t error = cudaSuccess;
  if (statistics && (!a.fixed || weights)) error = launch_sums<T, A>(tiles, a, sums, w);
  if (error == cudaSuccess && weights) error = gpu::launch<channel_norm_weight_kernel>(launch_threads(a.shape.c, w), a, sums);
  if (error == cudaSuccess && gx && !a.fixed) error = gpu::launch<channel_norm_statistics_kernel>(launch_threads(statistics, w), a, sums, statistics);
  if (error == cudaSuccess && gx) error = gpu::launch<channel_norm_backward_kernel<T, A>>(launch_tiles(tiles, w), tiles, a, sums);
  return error;
}

Status backward(const ChannelNormBackwardArgs& a, Workspace& w) {
  if (a.shape.c == 0) return Status::ok;
  return status_of(with_instance(a, [&]<class T, ConvActivation A>() { return launch_backward<T, A>(a, w); }));
}

}  // namespace

TAPETUM_CANDIDATE(ChannelMomentsArgs, channel_moments_cuda){
    .name = "tiles", .supports = supports, .workspace = workspace_moments, .error = error_moments, .run = moments};
TAPETUM_CANDIDATE(ChannelNormForwardArgs, channel_norm_forward_cuda){.name = "tiles", .supports = supports, .error = error_forward, .run = forward};
TAPETUM_CANDIDATE(ChannelNormBackwardArgs, channel_norm_backward_cuda){
    .name = "tiles", .supports = supports, .workspace = workspace_backward, .error = error_backward, .run = backward};

}  // namespace tapetum::kernels
