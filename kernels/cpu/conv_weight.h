// How the filter's gradient is computed in parts. A unit of work owns a tile of gw [k, (tap, c)]: all taps of some channels c for some k, and
// sums over the steps of the pixels. Where tiles are few, the steps are split in at most 16 parts, whose sums are added in order.
#pragma once
#include "kernels/conv.h"
#include "kernels/cpu/conv_patches.h"
#include "kernels/cpu/transpose.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

// From the shape alone; `steps` blocks of pixels make the whole sum.
struct WeightPlan {
  int64_t taps, groups, c, k;  // channels per group
  int64_t tile_c, tile_k, tiles_c, tiles_k;
  int64_t columns;  // of a tile, whole panels
  int64_t steps, splits, split;
  WeightPlan(const Conv2dShape& z, int64_t largest_c, int64_t largest_k, int64_t steps) : steps(steps) {
    constexpr int64_t kUnits = 16, kSplits = 16;
    const int64_t panel = 2 * TAPETUM_VECTOR_BYTES / compute_size(z.dtype);
    taps = z.r * z.s, groups = z.groups, c = z.c / z.groups, k = z.k / z.groups;
    tile_c = std::min(c, largest_c), tiles_c = c ? ceil_div(c, tile_c) : 0;
    tiles_k = ceil_div(k, largest_k), tile_k = tiles_k ? round_up(ceil_div(k, tiles_k), kTileRows) : 0;
    columns = round_up(taps * tile_c, panel);
    splits = std::max<int64_t>(1, std::min({kSplits, steps, ceil_div(kUnits, std::max<int64_t>(1, tiles()))}));
    split = ceil_div(steps, splits);
  }
  int64_t tiles() const { return groups * tiles_c * tiles_k; }
  int64_t tile_size() const { return tile_k * columns; }
  // Sums of the splits as [split][tile][k][columns]; without a split, a tile's sums stay in the thread's scratch.
  size_t workspace() const { return splits == 1 ? 0 : static_cast<size_t>(splits * tiles() * tile_size()); }
};

struct WeightTile {
  int64_t group, k, k_count, c, c_count;  // channels count within the group
  WeightTile(const WeightPlan& plan, int64_t index) {
    group = index / (plan.tiles_c * plan.tiles_k);
    k = index / plan.tiles_c % plan.tiles_k * plan.tile_k, c = index % plan.tiles_c * plan.tile_c;
    k_count = std::max<int64_t>(0, std::min(plan.tile_k, plan.k - k)), c_count = std::min(plan.tile_c, plan.c - c);
  }
};

// Row `row` of a tile goes to gw; element (tap, c) of part i lies at sums[i * stride + row * columns + tap * c_count + c].
template <class S>
void finish_row(const Conv2dArgs& a, const WeightPlan& plan, const WeightTile& t, int64_t row, const Compute<S>* sums, int64_t stride) {
  using T = Compute<S>;
  using V = Vec<T>;
  const auto& z = a.shape;
  const T* part = sums + row * plan.columns;
  S* gw = static_cast<S*>(a.w) + (t.group * plan.k + t.k + row) * z.w_stride[0] + t.c * z.w_stride[1];
  const auto total = [&](int64_t tap, int64_t c, int64_t n) {
    V sum = V::load(part + tap * t.c_count + c, n);
    for (int64_t i = 1; i < plan.splits; ++i) sum = sum + V::load(part + i * stride + tap * t.c_count + c, n);
    return sum;
  };
  const bool taps_dense = z.w_stride[3] == 1 && z.w_stride[2] == z.s && z.w_stride[1] == plan.taps;
  int64_t c = 0;
  if constexpr (std::is_same_v<T, float>)  // PyTorch's layout, taps innermost: blocks of taps and channels change places
    for (; plan.taps > 2 && taps_dense && c + V::lanes <= t.c_count; c += V::lanes)
      for (int64_t first = 0; first < plan.taps; first += V::lanes) {
        V rows[V::lanes];
        for (int64_t l = 0; l < V::lanes; ++l) rows[l] = first + l < plan.taps ? total(first + l, c, V::lanes) : V(T(0));
        transpose(rows);
        for (int64_t l = 0; l < V::lanes; ++l) rows[l].store(gw + (c + l) * plan.taps + first, plan.taps - first);
      }
  for (; c < t.c_count; c += V::lanes)
    for (int64_t tap = 0; tap < plan.taps; ++tap)
      total(tap, c, t.c_count - c)
          .scatter(gw + c * z.w_stride[1] + tap / z.s * z.w_stride[2] + tap % z.s * z.w_stride[3], z.w_stride[1], t.c_count - c);
}

// sum(tile, first step, end step, scratch of `scratch` elements, sums [k_count][columns]) computes a tile's part.
template <class S, class Sum> void run_weight_plan(const Conv2dArgs& a, const WeightPlan& plan, void* workspace, int64_t scratch, Sum sum) {
  using T = Compute<S>;
  const int64_t tiles = plan.tiles(), stride = tiles * plan.tile_size();
  if (tiles == 0 || plan.taps == 0) return;
  T* sums = static_cast<T*>(workspace);
  parallel_for(plan.splits * tiles, [&](int64_t unit) {
    const int64_t split = unit / tiles, index = unit % tiles;
    const WeightTile tile(plan, index);
    T* own = static_cast<T*>(thread_scratch(static_cast<size_t>(scratch + (plan.splits == 1 ? plan.tile_size() : 0)) * sizeof(T)));
    T* to = plan.splits == 1 ? own + scratch : sums + split * stride + index * plan.tile_size();
    sum(tile, std::min(plan.steps, split * plan.split), std::min(plan.steps, (split + 1) * plan.split), own, to);
    for (int64_t row = 0; plan.splits == 1 && row < tile.k_count; ++row) finish_row<S>(a, plan, tile, row, to, stride);
  });
  if (plan.splits == 1) return;
  parallel_for(tiles * plan.tile_k, [&](int64_t unit) {
    const int64_t index = unit / plan.tile_k, row = unit % plan.tile_k;
    const WeightTile tile(plan, index);
    if (row < tile.k_count) finish_row<S>(a, plan, tile, row, sums + index * plan.tile_size(), stride);
  });
}

}  // namespace
}  // namespace tapetum::kernels
