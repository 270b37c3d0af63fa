// Winograd's tiles of an image and their transforms, channels along the registers.
#pragma once
#include "kernels/conv.h"
#include "kernels/cpu/conv_epilogue.h"
#include "kernels/winograd.h"

namespace tapetum::kernels {
namespace {

// What Winograd serves: 3x3 filters, stride 1, no dilation, one group, channels innermost, f32.
inline bool is_winograd(const Conv2dShape& z) {
  return z.dtype == DType::f32 && z.groups == 1 && z.r == 3 && z.s == 3 && z.stride_h == 1 && z.stride_w == 1 && z.dilation_h == 1 &&
         z.dilation_w == 1 && z.x_stride[1] == 1 && z.y_stride[1] == 1 && z.c > 0 && z.k > 0;
}

template <int m> bool prefers_winograd(const Conv2dShape& z, int64_t h, int64_t w) {
  return conv_precision() == (m == 4 ? ConvPrecision::f4 : ConvPrecision::f2) && z.c >= 16 && z.k >= 16 && z.n * ceil_div(h, m) * ceil_div(w, m) >= 8;
}

// The one-dimensional transform f along both axes: store(t, f(f(load(t)))), t counting rows of `from` and `to` elements.
template <int from, int to, auto f, class Load, class Store> void transform(Load load, Store store) {
  using V = decltype(load(0));
  V half[from][to];
#pragma GCC unroll 8
  for (int i = 0; i < from; ++i) {
    V row[from];
#pragma GCC unroll 8
    for (int j = 0; j < from; ++j) row[j] = load(i * from + j);
    f(row, half[i]);
  }
#pragma GCC unroll 8
  for (int j = 0; j < to; ++j) {
    V column[from], result[to];
#pragma GCC unroll 8
    for (int i = 0; i < from; ++i) column[i] = half[i][j];
    f(column, result);
#pragma GCC unroll 8
    for (int i = 0; i < to; ++i) store(i * to + j, result[i]);
  }
}

// Where element t of channel j of the i-th tile lies: t * element + i * line + j / kTileColumns * panel + j % kTileColumns.
struct TileLayout {
  int64_t line, panel, element;
  int64_t at(int64_t i, int64_t j) const { return i * line + j / kTileColumns<float> * panel + j % kTileColumns<float>; }
};

// Addresses of the pixels of one tile, row by row: of zeros where the tile leaves the image.
template <int size> struct TilePixels { const float* at[size * size]; };

alignas(64) constexpr float kZeros[1024] = {};  // for as many channels as a block reads

// Tiles of m x m outputs over a batch of images.
template <int m> struct TileGrid {
  static constexpr int tile = Winograd<m>::tile;
  using V = Vec<float>;
  int64_t n, h, w, rows, columns;
  explicit TileGrid(int64_t n, int64_t h, int64_t w) : n(n), h(h), w(w), rows(ceil_div(h, m)), columns(ceil_div(w, m)) {}
  explicit TileGrid(const Images<float>& out) : TileGrid(out.n, out.h, out.w) {}
  int64_t count() const { return n * rows * columns; }

  // to = B^T d B of tiles [first, first + count), channels [c, c + channels)
  void transform_input(const Images<const float>& in, int64_t padding_h, int64_t padding_w, int64_t first, int64_t count, int64_t c, int64_t channels,
                       float* to, const TileLayout& layout) const {
    for (int64_t i = 0; i < count; ++i)
      transform_pixels<tile, Winograd<m>::template input<V>>(find<tile>(in, first + i, -padding_h, -padding_w, c), i, channels, to, layout);
  }
  // to = A gy A^T, the adjoint of transform_output
  void transform_gradient(const Images<const float>& gy, int64_t first, int64_t count, int64_t k, int64_t channels, float* to,
                          const TileLayout& layout) const {
    for (int64_t i = 0; i < count; ++i)
      transform_pixels<m, Winograd<m>::template output_adjoint<V>>(find<m>(gy, first + i, 0, 0, k), i, channels, to, layout);
  }

  // out = A^T y A + bias, and what follows it, for channels [k, k + channels) of tiles [first, first + count)
  void transform_output(const float* y, const TileLayout& layout, int64_t first, int64_t count, const float* bias, const Epilogue<float>& epilogue,
                        int64_t k, int64_t channels, const Images<float>& out) const {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t n = (first + i) / (rows * columns), row = (first + i) / columns % rows * m, column = (first + i) % columns * m;
      float* to = out.data + n * out.stride_n + row * out.stride_h + column * out.stride_w + k;
      const int64_t high = std::min<int64_t>(m, h - row), wide = std::min<int64_t>(m, w - column);
      for (int64_t j = 0; j < channels; j += V::lanes) {
        const float* from = y + layout.at(i, j);
        const V b = bias ? load_part(bias + j, channels - j) : V(0.f);
        const bool whole = high == m && wide == m && j + V::lanes <= channels;
        transform<tile, m, Winograd<m>::template output<V>>([&](int t) { return V::load(from + t * layout.element); },
                                                            [&](int t, V v) {
                                                              float* at = to + t / m * out.stride_h + t % m * out.stride_w + j;
                                                              if (whole)
                                                                (v + b).store(at);
                                                              else if (t / m < high && t % m < wide)
                                                                (v + b).store(at, channels - j);
                                                            });
      }
      for (int64_t t = 0; t < high * wide; ++t)
        epilogue(to + t / wide * out.stride_h + t % wide * out.stride_w, n, row + t / wide, column + t % wide, k, channels);
    }
  }

 private:
  // The size x size pixels from (row * m + shift_h, column * m + shift_w) of tile `index`.
  template <int size> TilePixels<size> find(const Images<const float>& in, int64_t index, int64_t shift_h, int64_t shift_w, int64_t c) const {
    const int64_t top = index / columns % rows * m + shift_h, left = index % columns * m + shift_w;
    const float* image = in.data + index / (rows * columns) * in.stride_n + c;
    TilePixels<size> pixels;
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j) {
        const bool inside = top + i >= 0 && top + i < in.h && left + j >= 0 && left + j < in.w;
        pixels.at[i * size + j] = inside ? image + (top + i) * in.stride_h + (left + j) * in.stride_w : kZeros;
      }
    return pixels;
  }

  template <int size, auto f>
  static void transform_pixels(const TilePixels<size>& pixels, int64_t i, int64_t channels, float* to, const TileLayout& layout) {
    int64_t j = 0;
    const auto store = [&](int t, V v) { v.store(to + layout.at(i, j) + t * layout.element); };
    for (; j + V::lanes <= channels; j += V::lanes) transform<size, tile, f>([&](int t) { return V::load(pixels.at[t] + j); }, store);
    if (j < channels) transform<size, tile, f>([&](int t) { return V::load(pixels.at[t] + j, channels - j); }, store);
  }
};

}  // namespace
}  // namespace tapetum::kernels
