// The filter's gradient by implicit GEMM: gw[k, (tap, c)] = sum over pixels of gy[pixel, k] * patch[pixel, (tap, c)], a block of pixels at a
// time, so that patches never leave the cache.
#include "kernels/cpu/conv_weight.h"

namespace tapetum::kernels {
namespace {

bool supports(const Conv2dArgs& a) { return stores(a.shape.dtype); }

constexpr int64_t kColumns = 320, kRows = 128;                      // of a tile
template <class F> constexpr int64_t kPixels = 128 * kTogether<F>;  // of a step: 160 KB of patches in f32

template <class F> WeightPlan plan_of(const Conv2dShape& z) {
  return WeightPlan(z, std::max<int64_t>(16, kColumns / (z.r * z.s) / 16 * 16), kRows, ceil_div(z.n * z.p * z.q, kPixels<F>));
}
size_t workspace(const Conv2dArgs& a) {
  size_t bytes = 0;
  with_stored_type(a.shape.dtype, [&]<class S>() { bytes = plan_of<Factor<S>>(a.shape).workspace() * sizeof(Compute<S>); });
  return bytes;
}

// A step's factors in the thread's scratch: patches and gy line by line, and for pairs what is made from either.
template <class F> struct StepScratch {
  int64_t patch_line, gy_line, patches, rows;
  explicit StepScratch(const WeightPlan& plan) : patch_line(plan.columns + kGap<F>), gy_line(plan.tile_k + kGap<F>) {
    patches = kPixels<F> * (kInPairs<F> ? plan.columns : patch_line);
    rows = kInPairs<F> ? plan.tile_k * (kPixels<F> + kGap<F>) : kPixels<F> * gy_line;
  }
  int64_t gathered() const { return kInPairs<F> ? kPixels<F> * std::max(patch_line, gy_line) : 0; }
  int64_t size() const { return patches + rows + gathered(); }
};

// The tile's patches, (tap, c) in a line for each pixel, as the right factor of `x`.
template <class S>
void gather_columns(const Conv2dArgs& a, const WeightPlan& plan, const WeightTile& tile, int64_t pixel, int64_t count,
                    const StepScratch<Factor<S>>& scratch, Factor<S>* to, [[maybe_unused]] Factor<S>* gathered, Product<Factor<S>>& x) {
  using F = Factor<S>;
  const auto& z = a.shape;
  constexpr int64_t panel = kTileColumns<F>;
  const auto in = images(static_cast<const S*>(a.x) + (tile.group * plan.c + tile.c) * z.x_stride[1], z.n, z.h, z.w, z.x_stride);
  const int64_t together = taps_together(in, tile.c_count, z.s, z.dilation_w), piece = together * tile.c_count, line = scratch.patch_line;
  F* const lines = kInPairs<F> ? gathered : to;
  for (int64_t tap = 0; tap < plan.taps; tap += together)
    gather_tap(in, tile.c_count, z.p, z.q, z.stride_h, z.stride_w,
               {tap / z.s * z.dilation_h - z.padding_h, tap % z.s * z.dilation_w - z.padding_w, together, 0, piece}, pixel, count,
               lines + tap * tile.c_count, line);
  zero_pixels(count, round_up(x.n, panel) - x.n, lines + x.n, line);
  x.b = to, x.b_panel = panel, x.b_step = line;
#if defined(TAPETUM_PAIRS)
  x.b_panel = x.depth * panel, x.b_step = 2 * panel;
  pack_pair_panels<panel>(lines, 1, line, round_up(x.n, panel), count, to);
#endif
}

// Pixels [pixel, pixel + count) of gy as the transposed left factor of `x`.
template <class S>
void gather_rows(const Conv2dArgs& a, const WeightPlan& plan, const WeightTile& tile, int64_t pixel, int64_t count,
                 const StepScratch<Factor<S>>& scratch, Factor<S>* to, [[maybe_unused]] Factor<S>* gathered, Product<Factor<S>>& x) {
  const auto& z = a.shape;
  const auto gy = images(static_cast<const S*>(a.y) + (tile.group * plan.k + tile.k) * z.y_stride[1], z.n, z.p, z.q, z.y_stride);
  x.a = to, x.a_row = 1, x.a_step = scratch.gy_line;
  gather_tap(gy, tile.k_count, z.p, z.q, 1, 1, {0, 0, 1, 0, tile.k_count}, pixel, count, kInPairs<Factor<S>> ? gathered : to, scratch.gy_line);
#if defined(TAPETUM_PAIRS)
  x.a_row = x.depth + kGap<Factor<S>>, x.a_step = 2;
  pack_pair_lines(gathered, 1, scratch.gy_line, tile.k_count, count, to, x.a_row);
#endif
}

Status run(const Conv2dArgs& a, Workspace& workspace) {
  with_stored_type(a.shape.dtype, [&]<class S>() {
    using T = Compute<S>;
    using F = Factor<S>;
    const auto& z = a.shape;
    const WeightPlan plan = plan_of<F>(z);
    const StepScratch<F> scratch(plan);
    const int64_t pixels = z.n * z.p * z.q, floats = ceil_div(scratch.size() * static_cast<int64_t>(sizeof(F)), sizeof(T));
    run_weight_plan<S>(a, plan, workspace.data, floats, [&](const WeightTile& tile, int64_t first, int64_t end, T* own, T* sums) {
      F *patches = reinterpret_cast<F*>(own), *rows = patches + scratch.patches, *gathered = rows + scratch.rows;
      for (int64_t i = 0; i < tile.k_count * plan.columns; ++i) sums[i] = 0;
      for (int64_t pixel = first * kPixels<F>; pixel < std::min(pixels, end * kPixels<F>); pixel += kPixels<F>) {
        const int64_t count = std::min(kPixels<F>, pixels - pixel), depth = round_up(count, kDepthStep<F>);
        Product<F> x{.m = tile.k_count,
                     .n = plan.taps * tile.c_count,
                     .depth = depth,
                     .start = sums,
                     .start_row = plan.columns,
                     .c = sums,
                     .c_row = plan.columns};
        gather_columns<S>(a, plan, tile, pixel, count, scratch, patches, gathered, x);
        gather_rows<S>(a, plan, tile, pixel, count, scratch, rows, gathered, x);
        multiply(x);
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
