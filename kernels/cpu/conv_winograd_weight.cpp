// The filter's gradient by Winograd's tiles: gw = G^T [sum over tiles of (B^T x B) (A gy A^T)] G, for each of the (m + 2)^2 elements one
// matrix product [k, tiles] x [tiles, c].
#include "kernels/cpu/conv_tiles.h"
#include "kernels/cpu/conv_weight.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kTiles = 48, kChannels = 64;  // of a step; of a tile of gw, both channels

template <int m> WeightPlan plan_of(const Conv2dShape& z) {
  return WeightPlan(z, kChannels, kChannels, ceil_div(TileGrid<m>(z.n, z.p, z.q).count(), kTiles));
}
template <int m> size_t workspace(const Conv2dArgs& a) { return plan_of<m>(a.shape).workspace() * sizeof(float); }

// gw's part = G^T s G: element t of s at s[t * element + row * line + c].
template <int m> void transform_sums(const WeightPlan& plan, const WeightTile& tile, const float* s, int64_t element, int64_t line, float* sums) {
  using V = Vec<float>;
  for (int64_t row = 0; row < tile.k_count; ++row)
    for (int64_t c = 0; c < tile.c_count; c += V::lanes) {
      const float* from = s + row * line + c;
      float* to = sums + row * plan.columns + c;
      transform<Winograd<m>::tile, 3, Winograd<m>::template filter_adjoint<V>>([&](int t) { return V::load(from + t * element); },
                                                                               [&](int t, V v) { v.store(to + t * tile.c_count, tile.c_count - c); });
    }
}

template <int m, class S> void run_stored(const Conv2dArgs& a, Workspace& workspace) {
  const auto& z = a.shape;
  constexpr int64_t elements = Winograd<m>::tile * Winograd<m>::tile, panel = kTileColumns<float>;
  const WeightPlan plan = plan_of<m>(z);
  const TileGrid<m> grid(z.n, z.p, z.q);
  const auto x = images(static_cast<const S*>(a.x), z.n, z.h, z.w, z.x_stride), gy = images(static_cast<const S*>(a.y), z.n, z.p, z.q, z.y_stride);
  const int64_t columns = round_up(plan.tile_c, panel), line = plan.tile_k + 16;
  const int64_t x_element = kTiles * columns + 16, y_element = kTiles * line + 16, s_element = plan.tile_k * columns + 16;  // never a power of two
  const int64_t scratch = elements * (x_element + y_element + s_element);
  run_weight_plan<S>(a, plan, workspace.data, scratch, [&](const WeightTile& tile, int64_t first, int64_t end, float* xs, float* sums) {
    float *ys = xs + elements * x_element, *s = ys + elements * y_element;
    for (int64_t at = first * kTiles; at < std::min(grid.count(), end * kTiles); at += kTiles) {
      const int64_t count = std::min(kTiles, grid.count() - at);
      grid.transform_input(x, z.padding_h, z.padding_w, at, count, tile.c, tile.c_count, xs, {panel, count * panel, x_element});
      grid.transform_gradient(gy, at, count, tile.k, tile.k_count, ys, {line, panel, y_element});
      for (int64_t t = 0; t < elements; ++t) {
        float* sum = s + t * s_element;
        multiply(Product<float>{tile.k_count, round_up(tile.c_count, panel), count, ys + t * y_element, 1, line, xs + t * x_element, count * panel,
                                panel, at == first * kTiles ? nullptr : sum, columns, sum, columns});
      }
    }
    if (first < end)
      transform_sums<m>(plan, tile, s, s_element, columns, sums);
    else
      for (int64_t i = 0; i < tile.k_count * plan.columns; ++i) sums[i] = 0;
  });
}

template <int m> Status run(const Conv2dArgs& a, Workspace& workspace) {
  if constexpr (m == 4)
    with_wide_type(a.shape.dtype, [&]<class S>() { run_stored<m, S>(a, workspace); });
  else
    run_stored<m, float>(a, workspace);
  return Status::ok;
}

template <int m> bool supports(const Conv2dArgs& a) { return is_winograd<m>(a.shape); }
template <int m> bool prefers(const Conv2dArgs& a) { return prefers_winograd<m>(a.shape, a.shape.p, a.shape.q); }
template <int m> double error(const Conv2dArgs& a) { return 32 * m + 4 * __builtin_sqrt(static_cast<double>(a.shape.n * a.shape.p * a.shape.q)); }

}  // namespace

#define WINOGRAD(m)                                                                                                                      \
  TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_grad_weight_winograd_f##m) {                                                                  \
    .name = "winograd_f" #m, .supports = supports<m>, .prefers = prefers<m>, .workspace = workspace<m>, .error = error<m>, .run = run<m> \
  }

WINOGRAD(2);
WINOGRAD(4);

}  // namespace tapetum::kernels
