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

// A step's factors in the thread's scratch: the patches' panels, lines of gy, and in pairs what they are made from.
template <class F> struct StepScratch {
  int64_t patches, rows, line;
  explicit StepScratch(const WeightPlan& plan) : patches(kPixels<F> * plan.columns) {
    line = plan.tile_k + kGap<F>;
    rows = kInPairs<F> ? plan.tile_k * (kPixels<F> + kGap<F>) : kPixels<F> * line;
  }
  int64_t gathered(const WeightPlan& plan) const { return kInPairs<F> ? kPixels<F> * std::max(line, plan.columns) : 0; }
  int64_t size(const WeightPlan& plan) const { return patches + rows + gathered(plan); }
};

// Column (tap, c) of the tile's patches as the right factor of a product over pixels; `gathered` has room for a panel.
template <class S>
void gather_columns(const Conv2dArgs& a, const WeightPlan& plan, const WeightTile& tile, int64_t pixel, int64_t count, Factor<S>* to,
                    [[maybe_unused]] Factor<S>* gathered) {
  using F = Factor<S>;
  const auto& z = a.shape;
  constexpr int64_t panel = kTileColumns<F>;
  const auto in = images(static_cast<const S*>(a.x) + (tile.group * plan.c + tile.c) * z.x_stride[1], z.n, z.h, z.w, z.x_stride);
  const int64_t used = plan.taps * tile.c_count, together = taps_together(in, tile.c_count, z.s, z.dilation_w), piece = together * tile.c_count;
  for (int64_t first = 0; first < used; first += panel, to += round_up(count, kDepthStep<F>) * panel) {
    F* lines = kInPairs<F> ? gathered : to;
    const int64_t end = std::min(first + panel, used);
    for (int64_t l = first; l < end;) {
      const int64_t tap = l / piece * together, at = l % piece, n = std::min(piece - at, end - l);
      gather_tap(in, tile.c_count, z.p, z.q, z.stride_h, z.stride_w,
                 {tap / z.s * z.dilation_h - z.padding_h, tap % z.s * z.dilation_w - z.padding_w, together, at, n}, pixel, count, lines + l - first,
                 panel);
      l += n;
    }
    zero_pixels(count, first + panel - end, lines + end - first, panel);
#if defined(TAPETUM_PAIRS)
    pack_pair_panels<panel>(lines, 1, panel, panel, count, to);
#endif
  }
}

// Pixels [pixel, pixel + count) of gy as the transposed left factor of `x`.
template <class S>
void gather_rows(const Conv2dArgs& a, const WeightPlan& plan, const WeightTile& tile, int64_t pixel, int64_t count,
                 const StepScratch<Factor<S>>& scratch, Factor<S>* to, [[maybe_unused]] Factor<S>* gathered, Product<Factor<S>>& x) {
  const auto& z = a.shape;
  const auto gy = images(static_cast<const S*>(a.y) + (tile.group * plan.k + tile.k) * z.y_stride[1], z.n, z.p, z.q, z.y_stride);
  x.a = to, x.a_row = 1, x.a_step = scratch.line;
  gather_tap(gy, tile.k_count, z.p, z.q, 1, 1, {0, 0, 1, 0, tile.k_count}, pixel, count, kInPairs<Factor<S>> ? gathered : to, scratch.line);
#if defined(TAPETUM_PAIRS)
  x.a_row = x.depth + kGap<Factor<S>>, x.a_step = 2;
  pack_pair_lines(gathered, 1, scratch.line, tile.k_count, count, to, x.a_row);
#endif
}

Status run(const Conv2dArgs& a, Workspace& workspace) {
  with_stored_type(a.shape.dtype, [&]<class S>() {
    using T = Compute<S>;
    using F = Factor<S>;
    const auto& z = a.shape;
    const WeightPlan plan = plan_of<F>(z);
    const StepScratch<F> scratch(plan);
    const int64_t pixels = z.n * z.p * z.q, floats = ceil_div(scratch.size(plan) * static_cast<int64_t>(sizeof(F)), sizeof(T));
    run_weight_plan<S>(a, plan, workspace.data, floats, [&](const WeightTile& tile, int64_t first, int64_t end, T* own, T* sums) {
      F *patches = reinterpret_cast<F*>(own), *rows = patches + scratch.patches, *gathered = rows + scratch.rows;
      for (int64_t i = 0; i < tile.k_count * plan.columns; ++i) sums[i] = 0;
      for (int64_t pixel = first * kPixels<F>; pixel < std::min(pixels, end * kPixels<F>); pixel += kPixels<F>) {
        const int64_t count = std::min(kPixels<F>, pixels - pixel), depth = round_up(count, kDepthStep<F>);
        gather_columns<S>(a, plan, tile, pixel, count, patches, gathered);
        Product<F> x{tile.k_count,
                     plan.taps * tile.c_count,
                     depth,
                     nullptr,
                     0,
                     0,
                     patches,
                     depth * kTileColumns<F>,
                     kTogether<F> * kTileColumns<F>,
                     sums,
                     plan.columns,
                     sums,
                     plan.columns};
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
