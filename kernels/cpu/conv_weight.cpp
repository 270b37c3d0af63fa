// The filter's gradient as products gw[k, (tap, c)] = sum over pixels of gy[pixel, k] * patch[pixel, (tap, c)]. A unit owns a tile of gw, all
// taps of some channels c for some k, and goes over the pixels in blocks that fit the cache. Where tiles are few, the pixels are split in
// at most 16 parts too, whose sums are added in order.
#include "kernels/conv.h"

#include "kernels/cpu/conv_patches.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

bool supports(const Conv2dArgs& a) { return serves(a.shape.dtype); }

constexpr int64_t kUnits = 32, kSplits = 16;
constexpr int64_t kPixels = 128, kColumns = 320, kRows = 128;  // of a block; of a tile: 160 KB each

// How the work is cut, from the shape alone.
struct Plan {
  int64_t taps, c, k;  // per group
  int64_t tile_c, tile_k, tiles_c, tiles_k;
  int64_t columns;                // of a tile, whole panels
  int64_t pixels, splits, split;  // pixels of one split
  explicit Plan(const Conv2dShape& z) {
    const int64_t panel = 2 * TAPETUM_VECTOR_BYTES / static_cast<int64_t>(size_of(z.dtype));
    taps = z.r * z.s, c = z.c / z.groups, k = z.k / z.groups;
    tile_c = std::min(c, std::max<int64_t>(16, kColumns / taps / 16 * 16));
    tiles_c = c ? ceil_div(c, tile_c) : 0;
    tiles_k = ceil_div(k, kRows);
    tile_k = tiles_k ? round_up(ceil_div(k, tiles_k), kTileRows) : 0;
    columns = round_up(taps * tile_c, panel);
    pixels = z.n * z.p * z.q;
    const int64_t blocks = ceil_div(pixels, kPixels), tiles = std::max<int64_t>(1, z.groups * tiles_c * tiles_k);
    splits = std::max<int64_t>(1, std::min({kSplits, blocks, ceil_div(kUnits, tiles)}));
    split = ceil_div(blocks, splits) * kPixels;
  }
  int64_t tiles() const { return tiles_c * tiles_k; }
  int64_t tile_size() const { return tile_k * columns; }
  int64_t row_line() const { return tile_k + 16; }  // of gy in the scratch: a power of two would fill few sets of the cache
  int64_t scratch() const { return kPixels * (columns + row_line()) + (splits == 1 ? tile_size() : 0); }
};

// Where the pixels are split, the sums lie in the workspace as [split][group][tile][k][columns]; else in the thread's scratch.
size_t workspace(const Conv2dArgs& a) {
  const Plan plan(a.shape);
  return plan.splits == 1 ? 0 : static_cast<size_t>(plan.splits * a.shape.groups * plan.tiles() * plan.tile_size()) * size_of(a.shape.dtype);
}

template <class T> struct Tile {
  const Conv2dArgs& a;
  const Plan& plan;
  int64_t group, k, k_count, c, c_count;
  Tile(const Conv2dArgs& a, const Plan& plan, int64_t group, int64_t tile) : a(a), plan(plan), group(group) {
    k = tile / plan.tiles_c * plan.tile_k, c = tile % plan.tiles_c * plan.tile_c;
    k_count = std::max<int64_t>(0, std::min(plan.tile_k, plan.k - k)), c_count = std::min(plan.tile_c, plan.c - c);
  }

  // Column (tap, c) of the block of patches, in panels of [count][kTileColumns].
  void gather_patches(int64_t pixel, int64_t count, T* to) const {
    const auto& z = a.shape;
    constexpr int64_t panel = kTileColumns<T>;
    const Images<const T> in{
        static_cast<const T*>(a.x) + (group * plan.c + c) * z.x_stride[1], z.n, z.h, z.w, z.x_stride[0], z.x_stride[1], z.x_stride[2], z.x_stride[3]};
    const int64_t used = plan.taps * c_count;
    for (int64_t l = 0; l < used;) {
      const int64_t tap = l / c_count, channel = l % c_count, channels = std::min(c_count - channel, panel - l % panel);
      gather_tap(in, z.p, z.q, z.stride_h, z.stride_w, tap / z.s * z.dilation_h - z.padding_h, tap % z.s * z.dilation_w - z.padding_w, pixel, count,
                 channel, channels, to + l / panel * count * panel + l % panel, panel);
      l += channels;
    }
    if (used % panel) zero_pixels(count, panel - used % panel, to + used / panel * count * panel + used % panel, panel);
  }

  // sum [k_count][columns] = patches of pixels [first, end) times gy; scratch holds a block of both
  void multiply_pixels(int64_t first, int64_t end, T* scratch, T* sum) const {
    const auto& z = a.shape;
    const Images<const T> gy{
        static_cast<const T*>(a.y) + (group * plan.k + k) * z.y_stride[1], z.n, z.p, z.q, z.y_stride[0], z.y_stride[1], z.y_stride[2], z.y_stride[3]};
    T *patches = scratch, *rows = scratch + kPixels * plan.columns;
    for (int64_t i = 0; i < k_count * plan.columns; ++i) sum[i] = 0;
    for (int64_t pixel = first; pixel < end; pixel += kPixels) {
      const int64_t count = std::min(kPixels, end - pixel);
      gather_patches(pixel, count, patches);
      gather_tap(gy, z.p, z.q, 1, 1, 0, 0, pixel, count, 0, k_count, rows, plan.row_line());
      multiply(Product<T>{k_count, plan.taps * c_count, count, rows, 1, plan.row_line(), patches, count * kTileColumns<T>, kTileColumns<T>, sum,
                          plan.columns, sum, plan.columns});
    }
  }
};

// Row k of a tile: the sums of the splits, added in order, go to gw.
template <class T> void finish_row(const Tile<T>& t, int64_t row, const T* sums, int64_t split_stride) {
  const auto& z = t.a.shape;
  T* gw = static_cast<T*>(t.a.w) + (t.group * t.plan.k + t.k + row) * z.w_stride[0];
  for (int64_t c = 0; c < t.c_count; ++c)
    for (int64_t tap = 0; tap < t.plan.taps; ++tap) {
      const T* part = sums + row * t.plan.columns + tap * t.c_count + c;
      T sum = *part;
      for (int64_t i = 1; i < t.plan.splits; ++i) sum += part[i * split_stride];
      gw[(t.c + c) * z.w_stride[1] + tap / z.s * z.w_stride[2] + tap % z.s * z.w_stride[3]] = sum;
    }
}

Status run(const Conv2dArgs& a, Workspace& workspace) {
  with_served_type(a.shape.dtype, [&]<class T>() {
    const Plan plan(a.shape);
    const int64_t tiles = a.shape.groups * plan.tiles(), split_stride = tiles * plan.tile_size();
    T* sums = static_cast<T*>(workspace.data);
    if (tiles == 0 || plan.taps == 0) return;
    parallel_for(plan.splits * tiles, [&](int64_t unit) {
      const int64_t split = unit / tiles, index = unit % tiles;
      const Tile<T> tile(a, plan, index / plan.tiles(), index % plan.tiles());
      T* scratch = static_cast<T*>(thread_scratch(static_cast<size_t>(plan.scratch()) * sizeof(T)));
      T* sum = plan.splits == 1 ? scratch + plan.scratch() - plan.tile_size() : sums + split * split_stride + index * plan.tile_size();
      tile.multiply_pixels(split * plan.split, std::min(plan.pixels, (split + 1) * plan.split), scratch, sum);
      if (plan.splits == 1)
        for (int64_t row = 0; row < tile.k_count; ++row) finish_row(tile, row, sum, split_stride);
    });
    if (plan.splits == 1) return;
    parallel_for(tiles * plan.tile_k, [&](int64_t unit) {
      const int64_t index = unit / plan.tile_k, row = unit % plan.tile_k;
      const Tile<T> tile(a, plan, index / plan.tiles(), index % plan.tiles());
      if (row < tile.k_count) finish_row(tile, row, sums + index * plan.tile_size(), split_stride);
    });
  });
  return Status::ok;
}

double error(const Conv2dArgs& a) { return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.n * a.shape.p * a.shape.q)); }

}  // namespace

TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_grad_weight_implicit_gemm){
    .name = "implicit_gemm", .supports = supports, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
