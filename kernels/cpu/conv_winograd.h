// Winograd convolution as both of its forms see it: what is read and written, and the transformed filter.
#pragma once
#include "kernels/cpu/conv_tiles.h"

namespace tapetum::kernels {
namespace {

enum class Role { forward, grad_input };

// y = x * filter, whatever the primitive calls them.
template <class S, Role role> struct Problem {
  Images<const S> in;
  Images<S> out;
  int64_t c, k, padding_h, padding_w;
  const S *filter, *bias;
  Epilogue<S> epilogue;
  int64_t filter_c, filter_k, filter_r, filter_s;

  explicit Problem(const Conv2dArgs& a) : epilogue(a) {
    const auto& z = a.shape;
    const auto x = images(static_cast<S*>(a.x), z.n, z.h, z.w, z.x_stride), y = images(static_cast<S*>(a.y), z.n, z.p, z.q, z.y_stride);
    filter = static_cast<const S*>(a.w), bias = static_cast<const S*>(a.bias);
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

// A part of the transformed filter: element t of panel i, channel read j and lane l lies at u[t * element + i * panel + j * kTileColumns + l].
struct FilterLayout {
  int64_t element, panel;
};

// U = G g G^T for channels read [c, c + channels) and `panels` panels of channels written from k on, zeros past the last of them. The filter
// comes through a small block, so that PyTorch's layout, taps innermost, is read along memory.
template <int m, class S, Role role>
void transform_filter(const Problem<S, role>& p, int64_t c, int64_t channels, int64_t k, int64_t panels, float* u, const FilterLayout& layout) {
  using V = Vec<float>;
  constexpr int64_t columns = kTileColumns<float>, block = 16;
  float taps[block][9][columns];
  for (int64_t panel = 0; panel < panels; ++panel, k += columns, u += layout.panel)
    for (int64_t at = 0; at < channels; at += block) {
      const int64_t count = std::min(block, channels - at);
      for (int64_t j = 0; j < columns; ++j) {
        const S* from = p.filter + (c + at) * p.filter_c + (k + j) * p.filter_k;
        for (int64_t i = 0; i < count; ++i, from += p.filter_c)
          for (int t = 0; t < 9; ++t) taps[i][t][j] = k + j < p.k ? cast<float>(from[t / 3 * p.filter_r + t % 3 * p.filter_s]) : 0;
      }
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < columns; j += V::lanes) {
          float* to = u + (at + i) * columns + j;
          transform<3, Winograd<m>::tile, Winograd<m>::template filter<V>>([&](int t) { return V::load(&taps[i][t][j]); },
                                                                           [&](int t, V v) { v.store(to + t * layout.element); });
        }
    }
}

}  // namespace
}  // namespace tapetum::kernels
