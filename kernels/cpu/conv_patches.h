// Geometry that the convolution's primitives share: which input pixel each tap of the filter reads, and copying those pixels into a block.
#pragma once
#include <algorithm>

#include "kernels/cpu/gemm.h"

namespace tapetum::kernels {
namespace {

// Along one axis, tap t is the filter's element first + t * step; it reads input index i * stride + offset + t * offset_step for output i.
struct Taps {
  int64_t count, first, step, stride, offset, offset_step;
  int64_t filter(int64_t t) const { return first + t * step; }
  int64_t shift(int64_t t) const { return offset + t * offset_step; }
};

enum class Role { forward, grad_input };

// grad_input exchanges x and y: input indices phase, phase + stride, ... meet the same taps, those with i stride + phase + padding - r dilation =
// o stride, so that each phase is a convolution of stride 1. The forward convolution has one phase.
inline Taps taps_of(Role role, int64_t phase, int64_t filter, int64_t stride, int64_t padding, int64_t dilation) {
  if (role == Role::forward) return {filter, 0, 1, stride, -padding, dilation};
  Taps t{0, 0, 1, 1, 0, 0};
  for (int64_t r = filter - 1; r >= 0; --r) {
    if ((phase + padding - r * dilation) % stride) continue;
    if (t.count) t.step = t.first - r;
    t.first = r;
    ++t.count;
  }
  t.offset = (phase + padding - t.first * dilation) / stride;
  t.offset_step = -t.step * dilation / stride;
  return t;
}

// A batch of images, [n, h, w] pixels of some channels.
template <class T> struct Images {
  T* data;
  int64_t n, h, w;
  int64_t stride_n, stride_c, stride_h, stride_w;
  int64_t pixels() const { return n * h * w; }
  T* at(int64_t image, int64_t row, int64_t column) const { return data + image * stride_n + row * stride_h + column * stride_w; }
  // Pixels follow each other at stride_w through rows and images.
  bool uniform() const { return (h == 1 || stride_h == w * stride_w) && (n == 1 || stride_n == h * w * stride_w); }
};

template <class T> Images<T> images(T* data, int64_t n, int64_t h, int64_t w, const int64_t (&stride)[4]) {
  return {data, n, h, w, stride[0], stride[1], stride[2], stride[3]};
}
template <class T> Images<const T> constant(const Images<T>& x) { return {x.data, x.n, x.h, x.w, x.stride_n, x.stride_c, x.stride_h, x.stride_w}; }

// `pixels` lines of `channels`: to[p * to_line + c * to_channel] = from[p * from_line + c * from_channel]
template <class To, class From>
void copy_pixels(int64_t pixels, int64_t channels, To* to, int64_t to_line, int64_t to_channel, const From* from, int64_t from_line,
                 int64_t from_channel) {
  if (to_channel == 1 && from_channel == 1) {
    for (int64_t p = 0; p < pixels; ++p) copy_line(to + p * to_line, from + p * from_line, channels);
  } else {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < pixels; ++p) to[p * to_line + c * to_channel] = cast<To>(from[p * from_line + c * from_channel]);
  }
}
template <class T> void zero_pixels(int64_t pixels, int64_t channels, T* to, int64_t line) {
  for (int64_t p = 0; p < pixels; ++p)
    for (int64_t c = 0; c < channels; ++c) to[p * line + c] = T{};
}

// f(pixel of the image, pixel of the block, count) for the runs of pixels [first, first + count) that lie in one row.
template <class F> void for_each_run(int64_t width, int64_t first, int64_t count, F f) {
  for (int64_t i = first; i < first + count;) {
    const int64_t run = std::min(width - i % width, first + count - i);
    f(i / width, i % width, i - first, run);
    i += run;
  }
}

// How many of a row's taps are read at once: all where they and their channels lie side by side and are too short to be copied one by one.
template <class S> int64_t taps_together(const Images<const S>& in, int64_t channels, int64_t taps, int64_t step) {
  return channels < 16 && step == 1 && in.stride_c == 1 && in.stride_w == channels ? std::max<int64_t>(1, taps) : 1;
}

// What `taps` neighbouring pixels from (shift_h, shift_w) on read for output pixels [first, first + count) of `out_h` x `out_w`: values
// [at, at + n) of those pixels' channels, which lie side by side where taps > 1; a line for each output pixel, zeros outside of the images.
struct Tap {
  int64_t shift_h, shift_w, taps, at, n;
};
template <class S, class T>
void gather_tap(const Images<const S>& in, int64_t channels, int64_t out_h, int64_t out_w, int64_t stride_h, int64_t stride_w, const Tap& tap,
                int64_t first, int64_t count, T* to, int64_t line) {
  for_each_run(out_w, first, count, [&](int64_t row, int64_t j, int64_t at, int64_t run) {
    T* block = to + at * line;
    const int64_t h = row % out_h * stride_h + tap.shift_h, w = j * stride_w + tap.shift_w, width = in.w - tap.taps + 1;
    if (h < 0 || h >= in.h) return zero_pixels(run, tap.n, block, line);
    // [lo, hi) of the run lies inside: 0 <= w + lo * stride_w, w + (hi - 1) * stride_w < width
    const int64_t lo = std::min(run, w >= 0 ? 0 : ceil_div(-w, stride_w));
    const int64_t hi = std::max(lo, w >= width ? 0 : std::min(run, ceil_div(width - w, stride_w)));
    const S* from = in.data + row / out_h * in.stride_n + h * in.stride_h + w * in.stride_w + tap.at * in.stride_c;
    const auto border = [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const int64_t pixel = w + p * stride_w;  // of its first tap; values [inside, outside) are those of pixels of the row
        const int64_t inside = std::clamp<int64_t>(-pixel * channels - tap.at, 0, tap.n);
        const int64_t outside = std::clamp<int64_t>((in.w - pixel) * channels - tap.at, inside, tap.n);
        T* const to_pixel = block + p * line;
        zero_pixels(1, inside, to_pixel, line);
        copy_pixels(1, outside - inside, to_pixel + inside, line, 1, from + p * stride_w * in.stride_w + inside * in.stride_c, 0, in.stride_c);
        zero_pixels(1, tap.n - outside, to_pixel + outside, line);
      }
    };
    border(0, lo);
    copy_pixels(hi - lo, tap.n, block + lo * line, line, 1, from + lo * stride_w * in.stride_w, stride_w * in.stride_w, in.stride_c);
    border(hi, run);
  });
}

}  // namespace
}  // namespace tapetum::kernels
