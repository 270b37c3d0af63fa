// Winograd's tiles of an image and their transforms, channels along the registers.
#pragma once
#include "kernels/conv.h"
#include "kernels/cpu/conv_epilogue.h"
#include "kernels/winograd.h"

namespace tapetum::kernels {
namespace {

// What Winograd serves: 3x3 filters, stride 1, no dilation, one group, channels innermost, computed in f32.
template <int m> bool is_winograd(const Conv2dShape& z) {
  return (z.dtype == DType::f32 || (m == 4 && z.dtype != DType::f64)) && z.groups == 1 && z.r == 3 && z.s == 3 && z.stride_h == 1 &&
         z.stride_w == 1 && z.dilation_h == 1 && z.dilation_w == 1 && z.x_stride[1] == 1 && z.y_stride[1] == 1 && z.c > 0 && z.k > 0;
}

// Values of 16 bits take F(4x4) where f2 would do: it errs far less than they round. AMX's tiles of bf16 outrun it.
template <int m> bool allows_winograd(const Conv2dShape& z) {
  if (z.dtype == DType::bf16 && active_isa() == Isa::amx) return false;
  if (z.dtype != DType::f32) return m == 4 && conv_precision() != ConvPrecision::exact;
  return conv_precision() == (m == 4 ? ConvPrecision::f4 : ConvPrecision::f2);
}
template <int m> bool prefers_winograd(const Conv2dShape& z, int64_t h, int64_t w) {
  return allows_winograd<m>(z) && z.c >= 16 && z.k >= 16 && z.n * ceil_div(h, m) * ceil_div(w, m) >= 8;
}

// Rows of a tile's transform that are computed at a time.
template <int first_row, int row_count> struct TileRows { static constexpr int first = first_row, count = row_count; };

// The one-dimensional transform f along both axes, for some rows of the result: store(t, f(f(load(t)))), t counting rows of `from` and `to`
// elements.
template <int from, int to, auto f, class Rows = TileRows<0, to>, class Load, class Store> void transform(Load load, Store store) {
  using V = decltype(load(0));
  V half[Rows::count][from];
#pragma GCC unroll 8
  for (int j = 0; j < from; ++j) {
    V column[from], result[to];
#pragma GCC unroll 8
    for (int i = 0; i < from; ++i) column[i] = load(i * from + j);
    f(column, result);
#pragma GCC unroll 8
    for (int i = 0; i < Rows::count; ++i) half[i][j] = result[Rows::first + i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows::count; ++i) {
    V row[to];
    f(half[i], row);
#pragma GCC unroll 8
    for (int j = 0; j < to; ++j) store((Rows::first + i) * to + j, row[j]);
  }
}

// Where element t of channel j of the i-th tile lies: t * element + i * line + j / kTileColumns * panel + j % kTileColumns.
struct TileLayout {
  int64_t line, panel, element;
  int64_t at(int64_t i, int64_t j) const { return i * line + j / kTileColumns<float> * panel + j % kTileColumns<float>; }
};

// Addresses of the pixels of one tile, row by row: of zeros where the tile leaves the image.
template <int size, class S> struct TilePixels { const S* at[size * size]; };

template <class S> alignas(64) constexpr S kZeros[1024] = {};  // for as many channels as a block reads

// Tiles of m x m outputs over a batch of images.
template <int m> struct TileGrid {
  static constexpr int tile = Winograd<m>::tile;
  using V = Vec<float>;
  int64_t n, h, w, rows, columns;
  explicit TileGrid(int64_t n, int64_t h, int64_t w) : n(n), h(h), w(w), rows(ceil_div(h, m)), columns(ceil_div(w, m)) {}
  template <class S> explicit TileGrid(const Images<S>& out) : TileGrid(out.n, out.h, out.w) {}
  int64_t count() const { return n * rows * columns; }

  // to = B^T d B of tiles [first, first + count), channels [c, c + channels)
  template <class Rows = TileRows<0, tile>, class S>
  void transform_input(const Images<const S>& in, int64_t padding_h, int64_t padding_w, int64_t first, int64_t count, int64_t c, int64_t channels,
                       float* to, const TileLayout& layout) const {
    for (int64_t i = 0; i < count; ++i)
      transform_pixels<tile, Winograd<m>::template input<V>, Rows>(find<tile>(in, first + i, -padding_h, -padding_w, c), i, channels, to, layout);
  }
  // to = A gy A^T, the adjoint of transform_output
  template <class Rows = TileRows<0, tile>, class S>
  void transform_gradient(const Images<const S>& gy, int64_t first, int64_t count, int64_t k, int64_t channels, float* to,
                          const TileLayout& layout) const {
    for (int64_t i = 0; i < count; ++i)
      transform_pixels<m, Winograd<m>::template output_adjoint<V>, Rows>(find<m>(gy, first + i, 0, 0, k), i, channels, to, layout);
  }

  // out = A^T y A + bias, and what follows it, for channels [k, k + channels) of tiles [first, first + count)
  template <class S>
  void transform_output(const float* y, const TileLayout& layout, int64_t first, int64_t count, const S* bias, const Epilogue<S>& epilogue, int64_t k,
                        int64_t channels, const Images<S>& out) const {
    const bool plain = epilogue.is_empty();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t n = (first + i) / (rows * columns), row = (first + i) / columns % rows * m, column = (first + i) % columns * m;
      S* to = out.at(n, row, column) + k;
      const int64_t high = std::min<int64_t>(m, h - row), wide = std::min<int64_t>(m, w - column);
      for (int64_t j = 0; j < channels; j += V::lanes) {
        const float* from = y + layout.at(i, j);
        const V b = bias ? load_part(bias + j, channels - j) : V(0.f);
        const bool whole = high == m && wide == m && j + V::lanes <= channels;
        transform<tile, m, Winograd<m>::template output<V>>([&](int t) { return V::load(from + t * layout.element); },
                                                            [&](int t, V v) {
                                                              const int64_t p = t / m, q = t % m;
                                                              if (!whole && (p >= high || q >= wide)) return;
                                                              v = v + b;
                                                              if (!plain) v = epilogue(v, n, row + p, column + q, k + j, channels - j);
                                                              S* at = to + p * out.stride_h + q * out.stride_w + j;
                                                              whole ? v.store(at) : v.store(at, channels - j);
                                                            });
      }
    }
  }

 private:
  // The size x size pixels from (row * m + shift_h, column * m + shift_w) of tile `index`.
  template <int size, class S> TilePixels<size, S> find(const Images<const S>& in, int64_t index, int64_t shift_h, int64_t shift_w, int64_t c) const {
    const int64_t top = index / columns % rows * m + shift_h, left = index % columns * m + shift_w;
    const S* image = in.data + index / (rows * columns) * in.stride_n + c;
    TilePixels<size, S> pixels;
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j) {
        const bool inside = top + i >= 0 && top + i < in.h && left + j >= 0 && left + j < in.w;
        pixels.at[i * size + j] = inside ? image + (top + i) * in.stride_h + (left + j) * in.stride_w : kZeros<S>;
      }
    return pixels;
  }

  template <int size, auto f, class Rows, class S>
  static void transform_pixels(const TilePixels<size, S>& pixels, int64_t i, int64_t channels, float* to, const TileLayout& layout) {
    int64_t j = 0;
    const auto store = [&](int t, V v) { v.store(to + layout.at(i, j) + t * layout.element); };
    for (; j + V::lanes <= channels; j += V::lanes) transform<size, tile, f, Rows>([&](int t) { return V::load(pixels.at[t] + j); }, store);
    if (j < channels) transform<size, tile, f, Rows>([&](int t) { return V::load(pixels.at[t] + j, channels - j); }, store);
  }
};

}  // namespace
}  // namespace tapetum::kernels
