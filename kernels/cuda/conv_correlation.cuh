// Forward and grad_input as one problem for kernels that multiply patches by filters.
// grad_input is a convolution of y: input pixels that are equal modulo the stride meet the same taps, so that each such phase is one of
// stride 1 with its part of the filter, and no product is wasted.
#pragma once
#include <algorithm>

#include "kernels/cuda/conv_epilogue.cuh"

namespace tapetum::kernels {
namespace {

// One side of the convolution: images of `channels` in each group.
template <class T> struct Side {
  T* data;
  Strides stride;
  int64_t channels, h, w;
};
template <class T> Side<T> x_of(const Conv2dArgs& a) {
  return {static_cast<T*>(a.x), Strides(a.shape.x_stride), a.shape.c / a.shape.groups, a.shape.h, a.shape.w};
}
template <class T> Side<T> y_of(const Conv2dArgs& a) {
  return {static_cast<T*>(a.y), Strides(a.shape.y_stride), a.shape.k / a.shape.groups, a.shape.p, a.shape.q};
}

// Of pixels of `out`, what the taps read in `in`.
template <class T> Patches<T> patches_of(int64_t images, const Side<T>& in, const Side<T>& out, const Taps& rows, const Taps& columns) {
  return {.data = in.data,
          .stride = in.stride,
          .height = static_cast<int>(in.h),
          .width = static_cast<int>(in.w),
          .pixels = Pixels(images, out.h, out.w),
          .elements = Elements(rows, columns, in.channels, in.stride.c == 1)};
}
template <class T> Patches<T> forward_patches(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  return patches_of(z.n, x_of<T>(a), y_of<T>(a), taps_of(z.r, z.stride_h, z.padding_h, z.dilation_h),
                    taps_of(z.s, z.stride_w, z.padding_w, z.dilation_w));
}

// out[pixel, k] = epilogue(bias[k] + sum over elements of patch[pixel, element] * filter[k, element]), for each group.
template <class T> struct Correlation {
  Patches<T> in;
  const T *filter, *bias;
  Epilogue<T> epilogue;
  T* out;
  Strides out_stride;
  FilterStrides filter_stride;
  int channels;  // of out
  int64_t groups, in_group, filter_group, out_group;
  bool channels_last() const { return in.elements.channel_fastest; }
  bool filter_along_depth() const { return filter_stride.k != 1; }
};

template <class T>
Correlation<T> correlation(const Conv2dArgs& a, const Patches<T>& patches, const FilterStrides& filter, const Side<T>& in, const Side<T>& out) {
  return {.in = patches,
          .filter = static_cast<const T*>(a.w),
          .bias = static_cast<const T*>(a.bias),
          .epilogue = Epilogue<T>(a),
          .out = out.data,
          .out_stride = out.stride,
          .filter_stride = filter,
          .channels = static_cast<int>(out.channels),
          .groups = a.shape.groups,
          .in_group = in.channels * in.stride.c,
          .filter_group = a.shape.k / a.shape.groups * a.shape.w_stride[0],
          .out_group = out.channels * out.stride.c};
}
template <class T> Correlation<T> forward_correlation(const Conv2dArgs& a) {
  return correlation(a, forward_patches<T>(a), FilterStrides(a.shape.w_stride), x_of<T>(a), y_of<T>(a));
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
  return {.count = static_cast<int>(count),
          .first = static_cast<int>(first),
          .step = static_cast<int>(step),
          .stride = 1,
          .offset = static_cast<int>((phase + padding - first * dilation) / stride),
          .offset_step = static_cast<int>(-step * dilation / stride)};
}

// The same with x and y in each other's place.
template <class T> Correlation<T> grad_input_correlation(const Conv2dArgs& a, int64_t phase_h, int64_t phase_w) {
  const Conv2dShape& z = a.shape;
  Side<T> in = y_of<T>(a), out = x_of<T>(a);  // of out the pixels of the phase
  out.data += phase_h * out.stride.h + phase_w * out.stride.w;
  out.h = (z.h - phase_h + z.stride_h - 1) / z.stride_h, out.w = (z.w - phase_w + z.stride_w - 1) / z.stride_w;
  out.stride.h *= z.stride_h, out.stride.w *= z.stride_w;
  const Taps rows = taps_of_phase(phase_h, z.r, z.stride_h, z.padding_h, z.dilation_h);
  const Taps columns = taps_of_phase(phase_w, z.s, z.stride_w, z.padding_w, z.dilation_w);
  return correlation(a, patches_of(z.n, in, out, rows, columns), FilterStrides(z.w_stride).swapped(), in, out);
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
