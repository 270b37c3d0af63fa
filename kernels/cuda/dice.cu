// Dice sums of each class: a block reads the probabilities of its classes once,
// and the labels once for each tile of classes. Sums of 16-bit probabilities
// are in float, and stay so.
#include "kernels/dice.h"

#include "kernels/cuda/access.cuh"
#include "kernels/cuda/channel_tiles.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/report.cuh"

namespace tapetum::kernels {
namespace {

template <class Args> bool supports(const Args& a) { return is_floating(a.shape.dtype); }
double error(const DiceSumsArgs& a) { return 8 + __builtin_sqrt(static_cast<double>(a.shape.outer * a.shape.inner)); }

// A class is a channel, a pixel a position.
ChannelTiles tiles_of(const LineShape& s) { return ChannelTiles(1, s.outer, s.length, s.inner, false); }

template <class T> __global__ void __launch_bounds__(kThreads) dice_sums_forward_kernel(ChannelTiles tiles, DiceSumsArgs a, Sums<3>* parts) {
  const TileThread thread(tiles);
  const T* p = static_cast<const T*>(a.p);
  using C = Compute<T>;
  C overlap = 0, size = 0, count = 0;
  thread.for_each(tiles, [&](int64_t at, int64_t pixel) {
    const int64_t t = a.target[pixel];
    if (t == a.ignore_index) return;
    if ((t < 0 || t >= tiles.channels) && thread.channel == 0) report(a.bad, pixel, t);
    const C v = widen(p[at]);
    const bool hit = t == thread.channel;
    overlap += hit ? v : C(0);
    size += a.squared ? v * v : v;
    count += hit;
  });
  const Sums<3> sums = thread.sum(Sums<3>{overlap, size, count});
  if (thread.is_first()) parts[tiles.part_index(0, thread.part, thread.channel)] = sums;
}

// A warp for each class.
template <class T> __global__ void __launch_bounds__(kThreads) dice_total_kernel(ChannelTiles tiles, const Sums<3>* parts, T* sums) {
  const int64_t c = thread_number() / kWarp;
  if (c >= tiles.channels) return;
  const Sums<3> total = sum_parts(tiles, parts, 0, c);
  if (threadIdx.x % kWarp == 0)
    for (int i = 0; i < 3; ++i) sums[i * tiles.channels + c] = static_cast<T>(total.of[i]);
}

template <class T> __global__ void __launch_bounds__(kThreads) dice_sums_backward_kernel(ChannelTiles tiles, DiceSumsBackwardArgs a) {
  const TileThread thread(tiles);
  if (!thread.inside) return;
  using C = Compute<T>;
  const T* p = static_cast<const T*>(a.p);
  const C* g = static_cast<const C*>(a.gsums);
  const C overlap = g[thread.channel], size = g[tiles.channels + thread.channel];
  thread.for_each(tiles, [&](int64_t at, int64_t pixel) {
    const int64_t t = a.target[pixel];
    const C slope = size * (a.squared ? 2 * widen(p[at]) : C(1)) + (t == thread.channel ? overlap : C(0));
    static_cast<T*>(a.gp)[at] = narrow<T>(t == a.ignore_index ? C(0) : slope);
  });
}

size_t workspace(const DiceSumsArgs& a) { return static_cast<size_t>(tiles_of(a.shape).part_count()) * sizeof(Sums<3>); }

template <class T> cudaError_t launch_forward(const DiceSumsArgs& a, const Workspace& w) {
  const ChannelTiles tiles = tiles_of(a.shape);
  auto* parts = static_cast<Sums<3>*>(w.data);
  if (tiles.part_count())
    if (const cudaError_t error = gpu::launch<dice_sums_forward_kernel<T>>(launch_tiles(tiles, w), tiles, a, parts); error != cudaSuccess)
      return error;
  return gpu::launch<dice_total_kernel<Compute<T>>>(launch_threads(tiles.channels, w, kWarp), tiles, parts, static_cast<Compute<T>*>(a.sums));
}

Status forward(const DiceSumsArgs& a, Workspace& w) {
  if (a.shape.length == 0) return Status::ok;
  return status_of(with_floating_type(a.shape.dtype, [&]<class T>() { return launch_forward<T>(a, w); }));
}

Status backward(const DiceSumsBackwardArgs& a, Workspace& w) {
  const ChannelTiles tiles = tiles_of(a.shape);
  if (tiles.part_count() == 0) return Status::ok;
  return status_of(
      with_floating_type(a.shape.dtype, [&]<class T>() { return gpu::launch<dice_sums_backward_kernel<T>>(launch_tiles(tiles, w), tiles, a); }));
}

}  // namespace

TAPETUM_CANDIDATE(DiceSumsArgs, dice_sums_forward_cuda){
    .name = "tiles", .supports = supports, .workspace = workspace, .error = error, .run = forward};
TAPETUM_CANDIDATE(DiceSumsBackwardArgs, dice_sums_backward_cuda){.name = "tiles", .supports = supports, .run = backward};

}  // namespace tapetum::kernels
