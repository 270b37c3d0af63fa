// Winograd convolution as both of its forms see it: what is read and written, and the transformed filter.
#pragma once
#include "kernels/cpu/conv_tiles.h"
#include "kernels/cpu/transpose.h"

namespace tapetum::kernels {
namespace {

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

constexpr int64_t kTapChannels = 16;  // read, of a block of the filter; it is whole registers on every instruction set

// A block of the filter, lanes along the channels written: tap t of channel read i at at[i][t].
struct FilterBlock {
  static constexpr int64_t columns = kTileColumns<float>, lanes = Vec<float>::lanes;
  float at[kTapChannels][9][columns];

  // Channels read [c, c + count), written [k, k + columns), zeros past the last one of those.
  template <class S, Role role> void read(const Problem<S, role>& p, int64_t c, int64_t count, int64_t k) {
    const S* from = p.filter + c * p.filter_c + k * p.filter_k;
    const bool whole = count == kTapChannels && k + columns <= p.k && p.filter_r == 3 * p.filter_s;
    if (whole && p.filter_s == 1 && p.filter_c == 9) return read_along_c(from, p.filter_k);
    if (whole && p.filter_s == -1 && p.filter_k == 9) return read_along_k(from - 8, p.filter_c);
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t i = 0; i < count; ++i)
        for (int t = 0; t < 9; ++t)
          at[i][t][j] = k + j < p.k ? cast<float>(from[i * p.filter_c + j * p.filter_k + t / 3 * p.filter_r + t % 3 * p.filter_s]) : 0;
  }

 private:
  using V = Vec<float>;

  // PyTorch's layout of a forward filter: the taps of all channels read lie side by side for each channel written.
  template <class S> void read_along_c(const S* from, int64_t filter_k) {
    float* to = at[0][0];
    for (int64_t j = 0; j < columns; j += lanes)
      for (int64_t flat = 0; flat < kTapChannels * 9; flat += lanes) {
        V rows[lanes];
        for (int64_t l = 0; l < lanes; ++l) rows[l] = V::load(from + (j + l) * filter_k + flat);
        transpose(rows);
        for (int64_t l = 0; l < lanes; ++l) rows[l].store(to + (flat + l) * columns + j);
      }
  }
  // The same layout rotated for grad_input: the taps of all channels written lie side by side, in reverse, for each channel read.
  template <class S> void read_along_k(const S* from, int64_t filter_c) {
    float flat[9 * lanes][lanes];  // [channel written, tap][channel read]
    for (int64_t i = 0; i < kTapChannels; i += lanes)
      for (int64_t j = 0; j < columns; j += lanes) {
        V rows[lanes];
        for (int64_t first = 0; first < 9 * lanes; first += lanes) {
          for (int64_t l = 0; l < lanes; ++l) rows[l] = V::load(from + (i + l) * filter_c + j * 9 + first);
          transpose(rows);
          for (int64_t l = 0; l < lanes; ++l) rows[l].store(flat[first + l]);
        }
        for (int64_t t = 0; t < 9; ++t) {
          for (int64_t l = 0; l < lanes; ++l) rows[l] = V::load(flat[l * 9 + t]);
          transpose(rows);
          for (int64_t l = 0; l < lanes; ++l) rows[l].store(at[i + l][8 - t] + j);
        }
      }
  }
};

// U = G g G^T for channels read [c, c + channels) and `panels` panels of channels written from k on, zeros past the last of them.
template <int m, class S, Role role>
void transform_filter(const Problem<S, role>& p, int64_t c, int64_t channels, int64_t k, int64_t panels, float* u, const FilterLayout& layout) {
  using V = Vec<float>;
  constexpr int64_t columns = kTileColumns<float>;
  FilterBlock taps;
  for (int64_t panel = 0; panel < panels; ++panel, k += columns, u += layout.panel)
    for (int64_t first = 0; first < channels; first += kTapChannels) {
      const int64_t count = std::min(kTapChannels, channels - first);
      taps.read(p, c + first, count, k);
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < columns; j += V::lanes) {
          float* to = u + (first + i) * columns + j;
          transform<3, Winograd<m>::tile, Winograd<m>::template filter<V>>([&](int t) { return V::load(&taps.at[i][t][j]); },
                                                                           [&](int t, V v) { v.store(to + t * layout.element); });
        }
    }
}

}  // namespace
}  // namespace tapetum::kernels
