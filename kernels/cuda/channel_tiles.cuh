// Sums over the positions of each channel of dense [sets * n, c, l] or, channels last, [sets * n, l, c]. A block takes up to 32 neighbouring
// channels where those are dense, else one, and a part of their positions; its threads add in T, blocks and parts in double, in order.
#pragma once
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

constexpr int64_t kTilePositions = 16;  // of a thread, as long as there are fewer parts than
constexpr int64_t kTileMaxParts = 1024;

template <int N> struct Sums {
  double of[N];
  constexpr Sums operator+(const Sums& b) const {
    Sums sum = *this;
    for (int i = 0; i < N; ++i) sum.of[i] += b.of[i];
    return sum;
  }
};
template <int N> __device__ Sums<N> shuffle_xor(const Sums<N>& s, int bits) {
  Sums<N> other;
  for (int i = 0; i < N; ++i) other.of[i] = shuffle_xor(s.of[i], bits);
  return other;
}

struct ChannelTiles {
  int64_t sets, channels, positions;  // positions: of a set
  int64_t plane;                      // positions that are `position_stride` apart, before the next image
  int64_t set_stride, plane_stride, channel_stride, position_stride;
  int64_t width, tiles, part_length, parts;  // channels of a block, blocks of all channels; positions of a part, parts of a set

  ChannelTiles(int64_t sets, int64_t n, int64_t c, int64_t l, bool channels_last) : sets(sets), channels(c), positions(n * l) {
    const bool rows = channels_last || l == 1;
    plane = rows ? positions : l;
    set_stride = positions * c;
    plane_stride = l * c;
    channel_stride = rows ? 1 : l;
    position_stride = rows ? c : 1;
    width = 1;
    while (rows && width < kWarp && width < c) width *= 2;
    tiles = (c + width - 1) / width;
    const int64_t least = kThreads / width * kTilePositions, longest = (positions + kTileMaxParts - 1) / kTileMaxParts;
    part_length = least < longest ? longest : least;
    parts = (positions + part_length - 1) / part_length;
  }

  constexpr int64_t part_count() const { return sets * parts * channels; }
  constexpr int64_t part_index(int64_t set, int64_t part, int64_t channel) const { return (set * parts + part) * channels + channel; }
  constexpr int64_t part_size(int64_t part) const { return part + 1 < parts ? part_length : positions - part * part_length; }
};

// One thread a channel along x, the threads that share it along y.
inline gpu::Launch launch_tiles(const ChannelTiles& t, const Workspace& w) {
  return {.grid = dim3(static_cast<unsigned>(t.sets * t.parts * t.tiles)),
          .block = dim3(static_cast<unsigned>(t.width), static_cast<unsigned>(kThreads / t.width)),
          .stream = stream_of(w)};
}

// What this thread takes of its block's tile: nothing past the last channel.
struct TileThread {
  int64_t set, part, channel;
  bool inside;

  __device__ explicit TileThread(const ChannelTiles& t)
      : set(blockIdx.x / t.tiles / t.parts),
        part(blockIdx.x / t.tiles % t.parts),
        channel(blockIdx.x % t.tiles * t.width + threadIdx.x),
        inside(channel < t.channels) {}

  __device__ int64_t offset(const ChannelTiles& t, int64_t position) const {
    return set * t.set_stride + channel * t.channel_stride + position / t.plane * t.plane_stride + position % t.plane * t.position_stride;
  }

  // f(offset, position in the set). Divides only where a plane ends.
  template <class F> __device__ void for_each(const ChannelTiles& t, F f) const {
    const int64_t begin = part * t.part_length, end = begin + t.part_size(part);
    const int64_t start = set * t.set_stride + channel * t.channel_stride;
    int64_t position = begin + threadIdx.y, plane = position / t.plane, in_plane = position % t.plane;
    for (; inside && position < end; position += blockDim.y, in_plane += blockDim.y) {
      if (in_plane >= t.plane) {
        plane += in_plane / t.plane;
        in_plane %= t.plane;
      }
      f(start + plane * t.plane_stride + in_plane * t.position_stride, position);
    }
  }

  // The first thread of each channel gets the sum over all of them.
  template <int N> __device__ Sums<N> sum(const Sums<N>& mine) const {
    __shared__ Sums<N> of_thread[kThreads];
    const unsigned at = threadIdx.y * blockDim.x + threadIdx.x;
    of_thread[at] = mine;
    for (unsigned step = blockDim.y / 2; step; step /= 2) {
      __syncthreads();
      if (threadIdx.y < step) of_thread[at] = of_thread[at] + of_thread[at + step * blockDim.x];
    }
    return of_thread[at];
  }
  __device__ bool is_first() const { return inside && threadIdx.y == 0; }
};

// A warp adds the parts' sums of one channel of a set.
template <int N> __device__ Sums<N> sum_parts(const ChannelTiles& t, const Sums<N>* parts, int64_t set, int64_t channel) {
  Sums<N> total{};
  for (int64_t part = threadIdx.x % kWarp; part < t.parts; part += kWarp) total = total + parts[t.part_index(set, part, channel)];
  return reduce_lanes(total, [](const Sums<N>& a, const Sums<N>& b) { return a + b; });
}

}  // namespace
}  // namespace tapetum::kernels
