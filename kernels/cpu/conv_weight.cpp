// The filter's gradient by implicit GEMM: gw[k, (tap, c)] = sum over pixels of gy[pixel, k] * patch[pixel, (tap, c)], a block of pixels at a
// time, so that patches never leave the cache.
#include "kernels/cpu/conv_weight.h"

namespace tapetum::kernels {
namespace {

bool supports(const Conv2dArgs& a) { return stores(a.shape.dtype); }

constexpr int64_t kPixels = 128, kColumns = 320, kRows = 128;  // of a step; of a tile: 160 KB each in f32

WeightPlan plan_of(const Conv2dShape& z) {
  return WeightPlan(z, std::max<int64_t>(16, kColumns / (z.r * z.s) / 16 * 16), kRows, ceil_div(z.n * z.p * z.q, kPixels));
}
size_t workspace(const Conv2dArgs& a) { return plan_of(a.shape).workspace() * static_cast<size_t>(compute_size(a.shape.dtype)); }

// Column (tap, c) of the tile's patches, in panels of [count][kTileColumns].
template <class S>
void gather_columns(const Conv2dArgs& a, const WeightPlan& plan, const WeightTile& tile, int64_t pixel, int64_t count, Compute<S>* to) {
  const auto& z = a.shape;
  constexpr int64_t panel = kTileColumns<Compute<S>>;
  const auto in = images(static_cast<const S*>(a.x) + (tile.group * plan.c + tile.c) * z.x_stride[1], z.n, z.h, z.w, z.x_stride);
  const int64_t used = plan.taps * tile.c_count, together = taps_together(in, tile.c_count, z.s, z.dilation_w), piece = together * tile.c_count;
  for (int64_t l = 0; l < used;) {
    const int64_t tap = l / piece * together, at = l % piece, n = std::min(piece - at, panel - l % panel);
    gather_tap(in, tile.c_count, z.p, z.q, z.stride_h, z.stride_w,
               {tap / z.s * z.dilation_h - z.padding_h, tap % z.s * z.dilation_w - z.padding_w, together, at, n}, pixel, count,
               to + l / panel * count * panel + l % panel, panel);
    l += n;
  }
  if (used % panel) zero_pixels(count, panel - used % panel, to + used / panel * count * panel + used % panel, panel);
}

Status run(const Conv2dArgs& a, Workspace& workspace) {
  with_stored_type(a.shape.dtype, [&]<class S>() {
    using T = Compute<S>;
    const auto& z = a.shape;
    const WeightPlan plan = plan_of(z);
    const int64_t line = plan.tile_k + 16;  // of gy: a power of two would fill few sets of the cache
    run_weight_plan<S>(
        a, plan, workspace.data, kPixels * (plan.columns + line), [&](const WeightTile& tile, int64_t first, int64_t end, T* patches, T* sums) {
          const auto gy = images(static_cast<const S*>(a.y) + (tile.group * plan.k + tile.k) * z.y_stride[1], z.n, z.p, z.q, z.y_stride);
          T* rows = patches + kPixels * plan.columns;
          for (int64_t i = 0; i < tile.k_count * plan.columns; ++i) sums[i] = 0;
          for (int64_t pixel = first * kPixels; pixel < std::min(gy.pixels(), end * kPixels); pixel += kPixels) {
            const int64_t count = std::min(kPixels, gy.pixels() - pixel);
            gather_columns<S>(a, plan, tile, pixel, count, patches);
            gather_tap(gy, tile.k_count, z.p, z.q, 1, 1, {0, 0, 1, 0, tile.k_count}, pixel, count, rows, line);
            multiply(Product<T>{tile.k_count, plan.taps * tile.c_count, count, rows, 1, line, patches, count * kTileColumns<T>, kTileColumns<T>, sums,
                                plan.columns, sums, plan.columns});
          }
        });
  });
  return Status::ok;
}

double error(const Conv2dArgs& a) { return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.n * a.shape.p * a.shape.q)); }

}  // namespace

TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_grad_weight_implicit_gemm){
    .name = "implicit_gemm", .supports = supports, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
