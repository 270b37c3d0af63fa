// A convolution as a product of matrices: patches [pixel, element], whose elements are what the filter reads there, times filters
// [channel, element]. Neither is ever stored: these operands of multiply_tile find each number where it lies, and widen 16-bit ones.
// Indices fit in 31 bits.
#pragma once
#include <utility>

#include "kernels/conv.h"
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/divider.cuh"

namespace tapetum::kernels {
namespace {

// f32 or 16-bit, and small enough for indices and coordinates of 31 bits.
inline bool is_indexable(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  constexpr int64_t limit = int64_t{1} << 29;
  const int64_t reach_h = z.h + z.p * z.stride_h + z.r * z.dilation_h + z.padding_h,
                reach_w = z.w + z.q * z.stride_w + z.s * z.dilation_w + z.padding_w;
  return z.dtype != DType::f64 && reach_h < limit && reach_w < limit && z.n * z.p * z.q < limit && z.n * z.h * z.w < limit &&
         z.c * z.r * z.s < limit && z.k * z.r * z.s < limit;
}

// Images or filters: strides of [n, channel, row, column].
struct Strides {
  int64_t n, c, h, w;
  explicit Strides(const int64_t (&s)[4]) : n(s[0]), c(s[1]), h(s[2]), w(s[3]) {}
};

// Strides of the filter between the channels that are written (k) and read (c), and its taps.
struct FilterStrides {
  int64_t k, c, r, s;
  explicit FilterStrides(const int64_t (&w)[4]) : k(w[0]), c(w[1]), r(w[2]), s(w[3]) {}
  FilterStrides swapped() const {
    FilterStrides other = *this;
    std::swap(other.k, other.c);
    return other;
  }
};

// One dimension of the filter. Tap i multiplies element first + i step of it with input o stride + offset + i offset_step for output o.
struct Taps {
  int count, first, step, stride, offset, offset_step;
};

// Of the convolution as it is.
inline Taps taps_of(int64_t filter, int64_t stride, int64_t padding, int64_t dilation) {
  return {static_cast<int>(filter), 0, 1, static_cast<int>(stride), static_cast<int>(-padding), static_cast<int>(dilation)};
}

// Output pixels (n, h, w), w fastest.
struct Pixels {
  int count;
  Divider width, area;
  Pixels(int64_t n, int64_t h, int64_t w) : count(static_cast<int>(n * h * w)), width(w > 0 ? w : 1), area(h * w > 0 ? h * w : 1) {}

  struct At {
    int n, h, w;
  };
  __device__ At at(int i) const {
    const int n = area.quotient(i), rest = i - n * area.divisor(), h = width.quotient(rest);
    return {n, h, rest - h * width.divisor()};
  }
};

// Elements of a patch: channel-fastest where that follows the memory of the images, else tap-fastest.
struct Elements {
  Taps rows, columns;
  int count;
  bool channel_fastest;
  Divider fastest, across;
  Elements(const Taps& r, const Taps& s, int64_t c, bool channel_first_in_memory)
      : rows(r),
        columns(s),
        count(static_cast<int>(c) * r.count * s.count),
        channel_fastest(channel_first_in_memory),
        fastest(count == 0        ? 1
                : channel_fastest ? c
                                  : r.count * s.count),
        across(s.count > 0 ? s.count : 1) {}

  struct At {
    int c, r, s;
  };
  __device__ At at(int i) const {
    const int slow = fastest.quotient(i), fast = i - slow * fastest.divisor();
    const int tap = channel_fastest ? slow : fast, r = across.quotient(tap);
    return {channel_fastest ? fast : slow, r, tap - r * across.divisor()};
  }
};

// A number of the patches lies at the sum of its pixel's and its element's place; where the sum is outside of the image there is a zero.
template <class T> struct Patches {
  const T* data;
  Strides stride;
  int height, width;
  Pixels pixels;
  Elements elements;

  static constexpr int kOutside = -(1 << 30);  // below any coordinate
  struct Place {
    int64_t offset;
    int h, w;
  };
  __device__ Place pixel(int64_t i) const {
    if (i >= pixels.count) return {0, kOutside, 0};
    const Pixels::At at = pixels.at(static_cast<int>(i));
    const int h = at.h * elements.rows.stride, w = at.w * elements.columns.stride;
    return {at.n * stride.n + h * stride.h + w * stride.w, h, w};
  }
  __device__ Place element(int64_t l) const {
    if (l >= elements.count) return {0, kOutside, 0};
    const Elements::At at = elements.at(static_cast<int>(l));
    const int h = elements.rows.offset + at.r * elements.rows.offset_step, w = elements.columns.offset + at.s * elements.columns.offset_step;
    return {at.c * stride.c + h * stride.h + w * stride.w, h, w};
  }
  // Of a pixel and an element, in either order; null: outside.
  __device__ const T* find(const Place& a, const Place& b) const {
    const int h = a.h + b.h, w = a.w + b.w;
    return h >= 0 && h < height && w >= 0 && w < width ? data + a.offset + b.offset : nullptr;
  }
  __device__ float at(const Place& a, const Place& b) const {
    const T* p = find(a, b);
    return p ? widen(*p) : 0.0f;
  }
};

// Lines are pixels and steps elements of their patches, or the other way around.
template <class T, bool lines_are_pixels, bool along_depth> struct PatchLines {
  static constexpr bool kAlongDepth = along_depth;
  using Line = typename Patches<T>::Place;
  using Step = typename Patches<T>::Place;
  const Patches<T>& patches;
  __device__ Line line(int64_t i) const { return lines_are_pixels ? patches.pixel(i) : patches.element(i); }
  __device__ Step step(int64_t l) const { return lines_are_pixels ? patches.element(l) : patches.pixel(l); }
  __device__ float read(const Line& line, const Step& step) const { return patches.at(line, step); }
};
template <class T, bool along_depth> using PixelLines = PatchLines<T, true, along_depth>;
template <class T, bool along_depth> using ElementLines = PatchLines<T, false, along_depth>;

// Lines that begin line_stride apart; null: outside. A step is the offset within the line, negative outside.
template <class T> struct ChannelLines {
  const T* data;
  int64_t line_stride;
  int lines;

  using Line = const T*;
  using Step = int64_t;
  __device__ Line line(int64_t i) const { return i < lines ? data + i * line_stride : nullptr; }
  __device__ float read(Line line, Step step) const { return line && step >= 0 ? widen(line[step]) : 0.0f; }
};

// The filters' lines are output channels, their steps elements.
template <class T, bool along_depth> struct FilterLines : ChannelLines<T> {
  static constexpr bool kAlongDepth = along_depth;
  using Step = int64_t;
  const Elements& elements;
  FilterStrides stride;
  __device__ Step step(int64_t l) const {
    if (l >= elements.count) return -1;
    const Elements::At at = elements.at(static_cast<int>(l));
    const int r = elements.rows.first + at.r * elements.rows.step, s = elements.columns.first + at.s * elements.columns.step;
    return at.c * stride.c + r * stride.r + s * stride.s;
  }
};

// An image's lines are its channels, their steps pixels.
template <class T, bool along_depth> struct ImageLines : ChannelLines<T> {
  static constexpr bool kAlongDepth = along_depth;
  using Step = int64_t;
  const Pixels& pixels;
  Strides stride;
  __device__ Step step(int64_t l) const {
    if (l >= pixels.count) return -1;
    const Pixels::At at = pixels.at(static_cast<int>(l));
    return at.n * stride.n + at.h * stride.h + at.w * stride.w;
  }
};

}  // namespace
}  // namespace tapetum::kernels
