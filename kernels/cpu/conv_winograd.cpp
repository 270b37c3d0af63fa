// Winograd convolution F(m x m, 3 x 3) for 3x3 filters of stride 1 in channels_last. The image is cut in tiles of m x m outputs; each of the
// (m + 2)^2 elements of the transformed tiles is one matrix product over channels. A unit of work owns a block of tiles and of output
// channels: transform, products and inverse transform stay in its cache. grad_input is the same with the filter rotated.
#include "kernels/conv.h"

#include "kernels/cpu/conv_tiles.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kTiles = 48, kChannels = 128, kPieceChannels = 128;  // of a block: tiles, channels written, channels read in one pass

enum class Role { forward, grad_input };

// y = x * filter, whatever the primitive calls them.
template <Role role> struct Problem {
  Images<const float> in;
  Images<float> out;
  int64_t c, k, padding_h, padding_w;
  const float *filter, *bias;
  Epilogue<float> epilogue;
  int64_t filter_c, filter_k, filter_r, filter_s;

  explicit Problem(const Conv2dArgs& a) : epilogue(a) {
    const auto& z = a.shape;
    const auto x = images(static_cast<float*>(a.x), z.n, z.h, z.w, z.x_stride), y = images(static_cast<float*>(a.y), z.n, z.p, z.q, z.y_stride);
    filter = static_cast<const float*>(a.w), bias = static_cast<const float*>(a.bias);
    if (role == Role::forward) {
      in = constant(x), out = y, c = z.c, k = z.k;
      padding_h = z.padding_h, padding_w = z.padding_w;
      filter_c = z.w_stride[1], filter_k = z.w_stride[0], filter_r = z.w_stride[2], filter_s = z.w_stride[3];
    } else {
      in = constant(y), out = x, c = z.k, k = z.c;
      padding_h = 2 - z.padding_h, padding_w = 2 - z.padding_w;
      filter_c = z.w_stride[0], filter_k = z.w_stride[1], filter_r = -z.w_stride[2], filter_s = -z.w_stride[3];
      filter -= 2 * (filter_r + filter_s);
    }
  }
};

// How the channels are cut. A piece of the transformed filter is [element][panel][channel read][kTileColumns].
template <int m> struct Plan {
  static constexpr int elements = Winograd<m>::tile * Winograd<m>::tile;
  static constexpr int64_t panel = kTileColumns<float>;
  int64_t passes, pass, pieces_k, piece_k, piece;
  Plan(int64_t c, int64_t k) {
    passes = ceil_div(c, kPieceChannels), pass = round_up(ceil_div(c, passes), 16);
    pieces_k = ceil_div(k, kChannels), piece_k = round_up(ceil_div(k, pieces_k), panel);
    piece = elements * element(pass);
  }
  int64_t element(int64_t channels) const { return channels * piece_k + 16; }  // never a power of two, which would fill few sets of the cache
};

// U = G g G^T for channels read [c, c + channels) and written [k, k + plan.piece_k), zeros past the last of them. The filter comes through a
// small block, so that PyTorch's layout, taps innermost, is read along memory.
template <int m, Role role> void transform_filter(const Problem<role>& p, const Plan<m>& plan, int64_t c, int64_t channels, int64_t k, float* u) {
  using V = Vec<float>;
  constexpr int64_t panel = Plan<m>::panel, block = 16;
  float taps[block][9][panel];
  for (int64_t first = 0; first < plan.piece_k; first += panel)
    for (int64_t at = 0; at < channels; at += block) {
      const int64_t count = std::min(block, channels - at);
      for (int64_t j = 0; j < panel; ++j) {
        const float* from = p.filter + (c + at) * p.filter_c + (k + first + j) * p.filter_k;
        for (int64_t i = 0; i < count; ++i, from += p.filter_c)
          for (int t = 0; t < 9; ++t) taps[i][t][j] = k + first + j < p.k ? from[t / 3 * p.filter_r + t % 3 * p.filter_s] : 0;
      }
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < panel; j += V::lanes) {
          float* to = u + first * channels + (at + i) * panel + j;
          transform<3, Winograd<m>::tile, Winograd<m>::template filter<V>>([&](int t) { return V::load(&taps[i][t][j]); },
                                                                           [&](int t, V v) { v.store(to + t * plan.element(channels)); });
        }
    }
}

// Tiles [first, first + count), output channels [k, k + channels); u(pass) gives the piece of the transformed filter.
template <int m, Role role, class U>
void run_block(const Problem<role>& p, const Plan<m>& plan, const TileGrid<m>& grid, int64_t first, int64_t count, int64_t k, int64_t channels,
               float* scratch, U u) {
  constexpr int64_t elements = Plan<m>::elements;
  const int64_t v_line = plan.pass + 16, v_size = count * v_line + 16, m_size = count * plan.piece_k + 16;
  float *v = scratch, *products = scratch + elements * v_size;
  for (int64_t pass = 0; pass < plan.passes; ++pass) {
    const int64_t c = pass * plan.pass, read = std::min(plan.pass, p.c - c);
    if (read <= 0) break;
    grid.transform_input(p.in, p.padding_h, p.padding_w, first, count, c, read, v, {v_line, Plan<m>::panel, v_size});
    const float* piece = u(pass, c, read);
    for (int64_t t = 0; t < elements; ++t) {
      float* y = products + t * m_size;
      multiply(Product<float>{count, round_up(channels, Plan<m>::panel), read, v + t * v_size, v_line, 1, piece + t * plan.element(read),
                              read * Plan<m>::panel, Plan<m>::panel, pass ? y : nullptr, plan.piece_k, y, plan.piece_k});
    }
  }
  grid.transform_output(products, {plan.piece_k, Plan<m>::panel, m_size}, first, count, p.bias ? p.bias + k : nullptr, p.epilogue, k, channels,
                        p.out);
}

template <int m> int64_t scratch_size(const Plan<m>& plan, int64_t tiles) {
  return Plan<m>::elements * (tiles * (plan.pass + 16) + tiles * plan.piece_k + 32);
}

// The transformed filter is a workspace where several blocks of tiles use it, else each unit transforms its own pieces.
template <int m, Role role> struct Work {
  Problem<role> p;
  TileGrid<m> grid;
  Plan<m> plan;
  int64_t blocks, tiles;
  explicit Work(const Conv2dArgs& a) : p(a), grid(p.out), plan(p.c, p.k) {
    blocks = ceil_div(grid.count(), kTiles);
    if (grid.count() <= 2 * kTiles) blocks = 1;
    tiles = round_up(ceil_div(grid.count(), std::max<int64_t>(1, blocks)), kTileRows);
  }
  size_t workspace() const { return blocks > 1 ? static_cast<size_t>(plan.passes * plan.pieces_k * plan.piece) * sizeof(float) : 0; }
};

template <int m, Role role> size_t workspace(const Conv2dArgs& a) { return Work<m, role>(a).workspace(); }

template <int m, Role role> Status run(const Conv2dArgs& a, Workspace& workspace) {
  const Work<m, role> work(a);
  const auto& p = work.p;
  const auto& plan = work.plan;
  float* u = static_cast<float*>(workspace.data);
  if (work.grid.count() == 0 || p.k == 0) return Status::ok;
  if (u)
    parallel_for(plan.passes * plan.pieces_k, [&](int64_t unit) {
      const int64_t c = unit / plan.pieces_k * plan.pass, k = unit % plan.pieces_k * plan.piece_k;
      if (c < p.c && k < p.k) transform_filter(p, plan, c, std::min(plan.pass, p.c - c), k, u + unit * plan.piece);
    });
  parallel_for(work.blocks * plan.pieces_k, [&](int64_t unit) {
    const int64_t first = unit / plan.pieces_k * work.tiles, count = std::min(work.tiles, work.grid.count() - first);
    const int64_t piece_k = unit % plan.pieces_k, k = piece_k * plan.piece_k, channels = std::min(plan.piece_k, p.k - k);
    if (count <= 0 || channels <= 0) return;
    const int64_t size = scratch_size(plan, count);
    float* scratch = static_cast<float*>(thread_scratch(static_cast<size_t>(size + (u ? 0 : plan.piece)) * sizeof(float)));
    run_block(p, plan, work.grid, first, count, k, channels, scratch, [&](int64_t pass, int64_t c, int64_t read) -> const float* {
      if (u) return u + (pass * plan.pieces_k + piece_k) * plan.piece;
      transform_filter(p, plan, c, read, k, scratch + size);
      return scratch + size;
    });
  });
  return Status::ok;
}

// Greatest error of F(4x4) that was measured: 3e-5 of the result's deviation at 1024 channels, growing with their root.
template <int m, Role role> double error(const Conv2dArgs& a) {
  const int64_t c = role == Role::forward ? a.shape.c : a.shape.k;
  return result_error(a, (m == 4 ? 64 : 16) + (m == 4 ? 16 : 4) * __builtin_sqrt(static_cast<double>(c)));
}

bool supports(const Conv2dArgs& a) { return is_winograd(a.shape); }
template <int m, Role role> bool prefers(const Conv2dArgs& a) {
  const auto& z = a.shape;
  return role == Role::forward ? prefers_winograd<m>(z, z.p, z.q) : prefers_winograd<m>(z, z.h, z.w);
}

}  // namespace

#define WINOGRAD(role, m)                                                                                                    \
  TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_##role##_winograd_f##m) {                                                         \
    .name = "winograd_f" #m, .supports = supports, .prefers = prefers<m, Role::role>, .workspace = workspace<m, Role::role>, \
    .error = error<m, Role::role>, .run = run<m, Role::role>                                                                 \
  }

WINOGRAD(forward, 2);
WINOGRAD(forward, 4);
WINOGRAD(grad_input, 2);
WINOGRAD(grad_input, 4);

}  // namespace tapetum::kernels
