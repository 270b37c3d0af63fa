// Forward and grad_input as one problem for kernels that multiply patches by filters.
// grad_input is a convolution of y: input pixels that are equal modulo the stride meet the same taps, so that each such phase is one of
// stride 1 with its part of the filter, and no product is wasted.
#pragma once
#include <algorithm>

#include "kernels/cuda/conv_patches.cuh"

namespace tapetum::kernels {
namespace {

// out[pixel, k] = bias[k] + sum over elements of patch[pixel, element] * filter[k, element], for each group.
template <class T> struct Correlation {
  Patches<T> in;
  const T *filter, *bias;
  T* out;
  Strides out_stride;
  int64_t filter_k, filter_c, filter_r, filter_s;  // strides
  int channels;                                    // of out
  int64_t groups, in_group, filter_group, out_group;
  bool channels_last() const { return in.elements.channel_fastest; }
  bool filter_along_depth() const { return filter_k != 1; }
};

template <class T> Correlation<T> forward_correlation(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  const int64_t c = z.c / z.groups, k = z.k / z.groups;
  const Elements elements(taps_of(z.r, z.stride_h, z.padding_h, z.dilation_h), taps_of(z.s, z.stride_w, z.padding_w, z.dilation_w), c,
                          z.x_stride[1] == 1);
  const Patches<T> in{static_cast<const T*>(a.x), Strides(z.x_stride), static_cast<int>(z.h), static_cast<int>(z.w), Pixels(z.n, z.p, z.q), elements};
  const auto *w = static_cast<const T*>(a.w), *bias = static_cast<const T*>(a.bias);
  return {in,
          w,
          bias,
          static_cast<T*>(a.y),
          Strides(z.y_stride),
          z.w_stride[0],
          z.w_stride[1],
          z.w_stride[2],
          z.w_stride[3],
          static_cast<int>(k),
          z.groups,
          c * z.x_stride[1],
          k * z.w_stride[0],
          k * z.y_stride[1]};
}

// Taps that meet input indices phase, phase + stride, ...: i stride + phase + padding - r dilation = o stride.
inline Taps taps_of_phase(int64_t phase, int64_t filter, int64_t stride, int64_t padding, int64_t dilation) {
  int64_t count = 0, first = 0, step = 1;
  for (int64_t r = filter - 1; r >= 0; --r) {
    if ((phase + padding - r * dilation) % stride) continue;
    if (count) step = first - r;
    first = r;
    ++count;
  }
  return {static_cast<int>(count),
          static_cast<int>(first),
          static_cast<int>(step),
          1,
          static_cast<int>((phase + padding - first * dilation) / stride),
          static_cast<int>(-step * dilation / stride)};
}

template <class T> Correlation<T> grad_input_correlation(const Conv2dArgs& a, int64_t phase_h, int64_t phase_w) {
  const Conv2dShape& z = a.shape;
  const int64_t c = z.c / z.groups, k = z.k / z.groups;
  const Elements elements(taps_of_phase(phase_h, z.r, z.stride_h, z.padding_h, z.dilation_h),
                          taps_of_phase(phase_w, z.s, z.stride_w, z.padding_w, z.dilation_w), k, z.y_stride[1] == 1);
  const Pixels pixels(z.n, (z.h - phase_h + z.stride_h - 1) / z.stride_h, (z.w - phase_w + z.stride_w - 1) / z.stride_w);
  const Patches<T> in{static_cast<const T*>(a.y), Strides(z.y_stride), static_cast<int>(z.p), static_cast<int>(z.q), pixels, elements};
  Strides out(z.x_stride);
  out.h *= z.stride_h, out.w *= z.stride_w;
  const auto *w = static_cast<const T*>(a.w), *bias = static_cast<const T*>(a.bias);
  T* x = static_cast<T*>(a.x) + phase_h * z.x_stride[2] + phase_w * z.x_stride[3];
  return {in,
          w,
          bias,
          x,
          out,
          z.w_stride[1],
          z.w_stride[0],
          z.w_stride[2],
          z.w_stride[3],
          static_cast<int>(c),
          z.groups,
          k * z.y_stride[1],
          k * z.w_stride[0],
          c * z.x_stride[1]};
}

// Calls f(phase_h, phase_w) until it fails.
template <class F> Status for_phases(const Conv2dShape& z, F f) {
  for (int64_t h = 0; h < std::min(z.stride_h, z.h); ++h)
    for (int64_t w = 0; w < std::min(z.stride_w, z.w); ++w)
      if (Status s = f(h, w); s != Status::ok) return s;
  return Status::ok;
}

}  // namespace
}  // namespace tapetum::kernels
