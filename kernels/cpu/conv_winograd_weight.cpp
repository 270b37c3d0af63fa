// The filter's gradient by Winograd's tiles: gw = G^T [sum over tiles of (B^T x B) (A gy A^T)] G, for each of the (m + 2)^2 elements one
// matrix product [k, tiles] x [tiles, c].
#include "kernels/cpu/conv_tiles.h"
#include "kernels/cpu/conv_weight.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kTiles = 48, kChannels = 128;  // of a step; of a tile of gw, both channels
constexpr int64_t kPanel = kTileColumns<float>;

template <int m> WeightPlan plan_of(const Conv2dShape& z) {
  return WeightPlan(z, kChannels, kChannels, ceil_div(TileGrid<m>(z.n, z.p, z.q).count(), kTiles));
}
template <int m> size_t workspace(const Conv2dArgs& a) { return plan_of<m>(a.shape).workspace() * sizeof(float); }

// A tile of gw, half of the rows of elements at a time: the sums of all would not stay in an L2 cache, and smaller tiles would transform
// each channel more often.
template <int m, class S> struct WeightSums {
  static constexpr int size = Winograd<m>::tile;
  using V = Vec<float>;
  const Conv2dShape& z;
  const WeightPlan& plan;
  const TileGrid<m> grid;
  Images<const S> x, gy;
  int64_t columns, line, x_element, y_element, s_element;
  bool whole;  // all rows of elements at once

  WeightSums(const Conv2dArgs& a, const WeightPlan& plan) : z(a.shape), plan(plan), grid(z.n, z.p, z.q) {
    x = images(static_cast<const S*>(a.x), z.n, z.h, z.w, z.x_stride), gy = images(static_cast<const S*>(a.y), z.n, z.p, z.q, z.y_stride);
    columns = round_up(plan.tile_c, kPanel), line = plan.tile_k + kGap<float>;
    x_element = kTiles * columns + kGap<float>, y_element = kTiles * line + kGap<float>, s_element = plan.tile_k * columns + kGap<float>;
    whole = plan.tile_c * plan.tile_k <= kChannels * kChannels / 4;
  }
  int64_t scratch() const { return size * size / (whole ? 1 : 2) * (x_element + y_element + s_element); }

  void operator()(const WeightTile& tile, int64_t first, int64_t end, float* scratch, float* sums) const {
    const int64_t begin = first * kTiles, stop = std::min(grid.count(), end * kTiles);
    if (whole) return add_rows<TileRows<0, size>>(tile, begin, stop, scratch, sums);
    add_rows<TileRows<0, size / 2>>(tile, begin, stop, scratch, sums);
    add_rows<TileRows<size / 2, size / 2>>(tile, begin, stop, scratch, sums);
  }

  // The elements of some rows, summed over tiles [first, end).
  template <class Rows> void add_rows(const WeightTile& tile, int64_t first, int64_t end, float* xs, float* sums) const {
    constexpr int64_t elements = Rows::count * size, skipped = Rows::first * size;
    float *ys = xs + elements * x_element, *s = ys + elements * y_element;
    for (int64_t at = first; at < end; at += kTiles) {
      const int64_t count = std::min(kTiles, end - at);
      grid.template transform_input<Rows>(x, z.padding_h, z.padding_w, at, count, tile.c, tile.c_count, xs - skipped * x_element,
                                          {kPanel, count * kPanel, x_element});
      grid.template transform_gradient<Rows>(gy, at, count, tile.k, tile.k_count, ys - skipped * y_element, {line, kPanel, y_element});
      for (int64_t t = 0; t < elements; ++t) {
        float* sum = s + t * s_element;
        multiply(Product<float>{tile.k_count, round_up(tile.c_count, kPanel), count, ys + t * y_element, 1, line, xs + t * x_element, count * kPanel,
                                kPanel, at == first ? nullptr : sum, columns, sum, columns});
      }
    }
    transform_sums<Rows>(tile, first < end, s, sums);
  }

  // G^T s G of these rows of elements: the first rows' part begins the sums, the others' is added.
  template <class Rows> void transform_sums(const WeightTile& tile, bool any, const float* s, float* sums) const {
    for (int64_t row = 0; row < tile.k_count; ++row)
      for (int64_t c = 0; c < tile.c_count; c += V::lanes) {
        const float* from = s + row * columns + c;
        float* to = sums + row * plan.columns + c;
        const auto load = [&](int t) {
          const int own = t - Rows::first * size;
          return any && own >= 0 && own < Rows::count * size ? V::load(from + own * s_element) : V(0.f);
        };
        transform<size, 3, Winograd<m>::template filter_adjoint<V>>(load, [&](int t, V v) {
          float* at = to + t * tile.c_count;
          if (Rows::first) v = v + V::load(at, tile.c_count - c);
          v.store(at, tile.c_count - c);
        });
      }
  }
};

template <int m, class S> void run_stored(const Conv2dArgs& a, Workspace& workspace) {
  const WeightPlan plan = plan_of<m>(a.shape);
  const WeightSums<m, S> sums(a, plan);
  run_weight_plan<S>(a, plan, workspace.data, sums.scratch(), sums);
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
