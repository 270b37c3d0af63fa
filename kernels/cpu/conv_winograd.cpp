// Winograd convolution F(m x m, 3 x 3) for 3x3 filters of stride 1 in channels_last. The image is cut in tiles of m x m outputs; each of the
// (m + 2)^2 elements of the transformed tiles is one matrix product over channels. grad_input is the same with the filter rotated.
// Blocks: a unit of work owns a block of tiles and of output channels; transform, products and inverse transform stay in its cache.
// Stages: each step for the whole layer, which reads the transformed filter once: for few tiles of many channels.
#include "kernels/cpu/conv_winograd.h"

#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

constexpr int64_t kTiles = 48, kChannels = 128, kPieceChannels = 128;  // of a block: tiles, channels written, channels read in one pass
constexpr int64_t kPanel = kTileColumns<float>;
template <int m> constexpr int kElements = Winograd<m>::tile* Winograd<m>::tile;

// The transformed filter is a workspace where several blocks of tiles use it, else each unit transforms a panel at a time when it needs it.
template <int m, class S, Role role> struct Blocks {
  const Problem<S, role>& p;
  TileGrid<m> grid;
  int64_t passes, pass, pieces_k, piece_k, piece, blocks, tiles;

  explicit Blocks(const Problem<S, role>& problem) : p(problem), grid(p.out) {
    passes = ceil_div(p.c, kPieceChannels), pass = round_up(ceil_div(p.c, passes), 16);
    pieces_k = ceil_div(p.k, kChannels), piece_k = round_up(ceil_div(p.k, pieces_k), kPanel);
    blocks = grid.count() <= 2 * kTiles ? 1 : ceil_div(grid.count(), kTiles);
    tiles = round_up(ceil_div(grid.count(), blocks), kTileRows);
    piece = kElements<m> * element(pass, at_once());
  }
  int64_t at_once() const { return blocks > 1 ? piece_k : kPanel; }  // channels written of a piece of the transformed filter
  static int64_t element(int64_t channels, int64_t written) { return channels * written + kGap<float>; }
  size_t workspace() const { return blocks > 1 ? static_cast<size_t>(passes * pieces_k * piece) * sizeof(float) : 0; }

  void transform(int64_t c, int64_t read, int64_t k, float* to) const {
    transform_filter<m>(p, c, read, k, at_once() / kPanel, to, {element(read, at_once()), read * kPanel});
  }

  void run(float* u) const {
    if (blocks > 1)
      parallel_for(passes * pieces_k, [&](int64_t unit) {
        const int64_t c = unit / pieces_k * pass, k = unit % pieces_k * piece_k;
        if (c < p.c && k < p.k) transform(c, std::min(pass, p.c - c), k, u + unit * piece);
      });
    parallel_for(blocks * pieces_k, [&](int64_t unit) {
      const int64_t first = unit / pieces_k * tiles, count = std::min(tiles, grid.count() - first), k = unit % pieces_k * piece_k;
      if (count > 0 && k < p.k) run_block(first, count, k, std::min(piece_k, p.k - k), u);
    });
  }

  // Tiles [first, first + count), output channels [k, k + channels).
  void run_block(int64_t first, int64_t count, int64_t k, int64_t channels, float* u) const {
    const int64_t v_line = pass + kGap<float>, v_size = count * v_line + kGap<float>, m_size = count * piece_k + kGap<float>;
    const int64_t size = kElements<m> * (v_size + m_size);
    float* v = static_cast<float*>(thread_scratch(static_cast<size_t>(size + (blocks > 1 ? 0 : piece)) * sizeof(float)));
    float* products = v + kElements<m> * v_size;
    for (int64_t i = 0; i < passes && i * pass < p.c; ++i) {
      const int64_t c = i * pass, read = std::min(pass, p.c - c);
      grid.transform_input(p.in, p.padding_h, p.padding_w, first, count, c, read, v, {v_line, kPanel, v_size});
      for (int64_t at = 0; at < channels; at += at_once()) {
        float* filter = blocks > 1 ? u + (i * pieces_k + k / piece_k) * piece : v + size;
        if (blocks == 1) transform(c, read, k + at, filter);
        for (int64_t t = 0; t < kElements<m>; ++t) {
          float* y = products + t * m_size + at;
          multiply(Product<float>{count, std::min(at_once(), round_up(channels, kPanel) - at), read, v + t * v_size, v_line, 1,
                                  filter + t * element(read, at_once()), read * kPanel, kPanel, i ? y : nullptr, piece_k, y, piece_k});
        }
      }
    }
    grid.transform_output(products, {piece_k, kPanel, m_size}, first, count, p.bias ? p.bias + k : nullptr, p.epilogue, k, channels, p.out);
  }
};

template <int m, class S, Role role> struct Stages {
  const Problem<S, role>& p;
  TileGrid<m> grid;
  int64_t columns, v_line, v_size, m_line, m_size, u_size;

  explicit Stages(const Problem<S, role>& problem) : p(problem), grid(p.out) {
    columns = round_up(p.k, kPanel);
    v_line = p.c + kGap<float>, v_size = grid.count() * v_line + kGap<float>;
    m_line = columns + kGap<float>, m_size = grid.count() * m_line + kGap<float>;
    u_size = p.c * columns + kGap<float>;
  }
  size_t workspace() const { return static_cast<size_t>(kElements<m> * (v_size + m_size + u_size)) * sizeof(float); }
  // Where blocks of tiles would each read a transformed filter that no cache near the core holds.
  bool pays() const { return u_size * kElements<m> > kLargeFilter && grid.count() > 2 * kTiles && grid.count() <= kMostTiles; }
  static constexpr int64_t kLargeFilter = int64_t{4} << 20, kMostTiles = 256;

  void run(float* v) const {
    float *products = v + kElements<m> * v_size, *u = products + kElements<m> * m_size;
    transform(v, u);
    multiply_elements(v, u, products);
    const int64_t blocks = ceil_div(grid.count(), kTileRows), pieces = ceil_div(p.k, kChannels);
    parallel_for(blocks * pieces, [&](int64_t unit) {
      const int64_t first = unit / pieces * kTileRows, count = std::min<int64_t>(kTileRows, grid.count() - first), k = unit % pieces * kChannels;
      grid.transform_output(products + first * m_line + k, {m_line, kPanel, m_size}, first, count, p.bias ? p.bias + k : nullptr, p.epilogue, k,
                            std::min(kChannels, p.k - k), p.out);
    });
  }

  // v = B^T x B, u = G g G^T
  void transform(float* v, float* u) const {
    const int64_t pieces = ceil_div(p.c, kPieceChannels), panels = columns / kPanel, blocks = ceil_div(grid.count(), kTileRows);
    parallel_for(pieces * (panels + blocks), [&](int64_t unit) {
      const int64_t c = unit % pieces * kPieceChannels, read = std::min(kPieceChannels, p.c - c), i = unit / pieces;
      if (i < panels) return transform_filter<m>(p, c, read, i * kPanel, 1, u + (i * p.c + c) * kPanel, {u_size, p.c * kPanel});
      const int64_t first = (i - panels) * kTileRows;
      grid.transform_input(p.in, p.padding_h, p.padding_w, first, std::min<int64_t>(kTileRows, grid.count() - first), c, read, v + first * v_line + c,
                           {v_line, kPanel, v_size});
    });
  }

  void multiply_elements(const float* v, const float* u, float* products) const {
    const int64_t pieces = ceil_div(columns, 4 * kPanel), pass = pass_depth<float>(p.c);
    parallel_for(kElements<m> * pieces, [&](int64_t unit) {
      const int64_t t = unit / pieces, k = unit % pieces * 4 * kPanel;
      float* y = products + t * m_size + k;
      for (int64_t c = 0; c < p.c; c += pass)
        multiply(Product<float>{grid.count(), std::min(4 * kPanel, columns - k), std::min(pass, p.c - c), v + t * v_size + c, v_line, 1,
                                u + t * u_size + k * p.c + c * kPanel, p.c * kPanel, kPanel, c ? y : nullptr, m_line, y, m_line});
    });
  }
};

// f(the form that suits), unless there is nothing to write.
template <int m, class S, Role role, class F> void with_form(const Conv2dArgs& a, F f) {
  const Problem<S, role> p(a);
  const Stages<m, S, role> stages(p);
  if (stages.grid.count() == 0 || p.k == 0) return;
  if (stages.pays())
    f(stages);
  else
    f(Blocks<m, S, role>(p));
}

template <int m, Role role> size_t workspace(const Conv2dArgs& a) {
  size_t bytes = 0;
  with_form<m, float, role>(a, [&](const auto& form) { bytes = form.workspace(); });
  return bytes;
}

template <int m, Role role> Status run(const Conv2dArgs& a, Workspace& workspace) {
  const auto run_form = [&](const auto& form) { form.run(static_cast<float*>(workspace.data)); };
  if constexpr (m == 4)
    with_wide_type(a.shape.dtype, [&]<class S>() { with_form<m, S, role>(a, run_form); });
  else
    with_form<m, float, role>(a, run_form);
  return Status::ok;
}

// Greatest error of F(4x4) that was measured: 3e-5 of the result's deviation at 1024 channels, growing with their root.
template <int m, Role role> double error(const Conv2dArgs& a) {
  const int64_t c = role == Role::forward ? a.shape.c : a.shape.k;
  return result_error(a, (m == 4 ? 64 : 16) + (m == 4 ? 16 : 4) * __builtin_sqrt(static_cast<double>(c)));
}

template <int m> bool supports(const Conv2dArgs& a) { return is_winograd<m>(a.shape); }
template <int m, Role role> bool prefers(const Conv2dArgs& a) {
  const auto& z = a.shape;
  return role == Role::forward ? prefers_winograd<m>(z, z.p, z.q) : prefers_winograd<m>(z, z.h, z.w);
}

}  // namespace

#define WINOGRAD(role, m)                                                                                                       \
  TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_##role##_winograd_f##m) {                                                            \
    .name = "winograd_f" #m, .supports = supports<m>, .prefers = prefers<m, Role::role>, .workspace = workspace<m, Role::role>, \
    .error = error<m, Role::role>, .run = run<m, Role::role>                                                                    \
  }

WINOGRAD(forward, 2);
WINOGRAD(forward, 4);
WINOGRAD(grad_input, 2);
WINOGRAD(grad_input, 4);

}  // namespace tapetum::kernels
