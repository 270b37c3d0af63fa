// implicit_gemm: forward and grad_input, a block for each tile of output pixels and channels. An image is read once for every 64 channels
// (the taps of a pixel meet in the caches), the filter once for every 128 pixels.
// grad_input is a convolution of y: input pixels that are equal modulo the stride meet the same taps, so that each such phase is one of
// stride 1 with its part of the filter, and no product is wasted.
#include <algorithm>

#include "kernels/cuda/conv_patches.cuh"
#include "kernels/cuda/gemm_tile.cuh"
#include "kernels/cuda/launch.cuh"

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

constexpr int kTilePixels = 128;
constexpr int kNarrow = 32, kWide = 64;  // channels of a tile

// Neighbouring threads write neighbours in memory: pixels, or channels if those are last.
template <int channels, bool channels_last>
using PixelTile =
    std::conditional_t<channels_last, Tile<float, kTilePixels, channels, 8, channels / 8, 4>, Tile<float, channels, kTilePixels, 8, 4, channels / 8>>;

template <class T, int channels, bool channels_last, bool filter_along_depth>
__global__ void __launch_bounds__(PixelTile<channels, channels_last>::kThreads, 2) conv2d_implicit_gemm_kernel(Correlation<T> f) {
  const int64_t blocks = (f.channels + channels - 1) / channels;  // neighbouring blocks read the same pixels
  const int64_t group = blockIdx.x / blocks % f.groups;
  const int64_t channel = blockIdx.x % blocks * channels, pixel = blockIdx.x / (blocks * f.groups) * kTilePixels;
  Patches<T> in = f.in;
  in.data += group * f.in_group;
  const PixelLines<T, channels_last> patches{in};
  const FilterLines<T, filter_along_depth> filters{
      {f.filter + group * f.filter_group, f.filter_k, f.channels}, in.elements, f.filter_c, f.filter_r, f.filter_s};
  const T* bias = f.bias ? f.bias + group * f.channels : nullptr;
  T* out = f.out + group * f.out_group;

  const auto store = [&](int64_t i, int64_t k, float sum) {
    if (i >= in.pixels.count || k >= f.channels) return;
    const Pixels::At at = in.pixels.at(static_cast<int>(i));
    out[at.n * f.out_stride.n + k * f.out_stride.c + at.h * f.out_stride.h + at.w * f.out_stride.w] = narrow<T>(bias ? sum + widen(bias[k]) : sum);
  };
  if constexpr (channels_last)
    multiply_tile<PixelTile<channels, true>>(patches, filters, pixel, channel, 0, in.elements.count, store);
  else
    multiply_tile<PixelTile<channels, false>>(filters, patches, channel, pixel, 0, in.elements.count,
                                              [&](int64_t k, int64_t i, float sum) { store(i, k, sum); });
}

template <int channels, bool channels_last, bool filter_along_depth, class T> Status launch(const Correlation<T>& f, const Workspace& workspace) {
  using Tile = PixelTile<channels, channels_last>;
  const int64_t blocks = int64_t{blocks_for(f.channels, channels)} * f.groups * blocks_for(f.in.pixels.count, kTilePixels);
  if (blocks == 0) return Status::ok;
  const gpu::Launch at{
      .grid = dim3(static_cast<unsigned>(blocks)), .block = Tile::kThreads, .smem = sizeof(typename Tile::Shared), .stream = stream_of(workspace)};
  return status_of(gpu::launch<conv2d_implicit_gemm_kernel<T, channels, channels_last, filter_along_depth>>(at, f));
}
template <int channels, class T> Status launch(const Correlation<T>& f, const Workspace& workspace) {
  if (f.channels_last()) return f.filter_along_depth() ? launch<channels, true, true>(f, workspace) : launch<channels, true, false>(f, workspace);
  return f.filter_along_depth() ? launch<channels, false, true>(f, workspace) : launch<channels, false, false>(f, workspace);
}
template <class T> Status launch(const Correlation<T>& f, const Workspace& workspace) {
  return f.channels <= kNarrow ? launch<kNarrow>(f, workspace) : launch<kWide>(f, workspace);
}

template <class T> Status forward(const Conv2dArgs& a, const Workspace& workspace) {
  const Conv2dShape& z = a.shape;
  const int64_t c = z.c / z.groups, k = z.k / z.groups;
  const Elements elements(taps_of(z.r, z.stride_h, z.padding_h, z.dilation_h), taps_of(z.s, z.stride_w, z.padding_w, z.dilation_w), c,
                          z.x_stride[1] == 1);
  const Patches<T> in{static_cast<const T*>(a.x), Strides(z.x_stride), static_cast<int>(z.h), static_cast<int>(z.w), Pixels(z.n, z.p, z.q), elements};
  const auto *w = static_cast<const T*>(a.w), *bias = static_cast<const T*>(a.bias);
  return launch(Correlation<T>{in, w, bias, static_cast<T*>(a.y), Strides(z.y_stride), z.w_stride[0], z.w_stride[1], z.w_stride[2], z.w_stride[3],
                               static_cast<int>(k), z.groups, c * z.x_stride[1], k * z.w_stride[0], k * z.y_stride[1]},
                workspace);
}
Status run_forward(const Conv2dArgs& a, Workspace& workspace) {
  return with_single_type(a.shape.dtype, [&]<class T>() { return forward<T>(a, workspace); });
}

// Taps that meet input indices phase, phase + stride, ...: i stride + phase + padding - r dilation = o stride.
Taps taps_of_phase(int64_t phase, int64_t filter, int64_t stride, int64_t padding, int64_t dilation) {
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

template <class T> Status grad_input_phase(const Conv2dArgs& a, int64_t phase_h, int64_t phase_w, const Workspace& workspace) {
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
  return launch(Correlation<T>{in, w, bias, x, out, z.w_stride[1], z.w_stride[0], z.w_stride[2], z.w_stride[3], static_cast<int>(c), z.groups,
                               k * z.y_stride[1], k * z.w_stride[0], c * z.x_stride[1]},
                workspace);
}
Status run_grad_input(const Conv2dArgs& a, Workspace& workspace) {
  return with_single_type(a.shape.dtype, [&]<class T>() {
    for (int64_t h = 0; h < std::min(a.shape.stride_h, a.shape.h); ++h)
      for (int64_t w = 0; w < std::min(a.shape.stride_w, a.shape.w); ++w)
        if (Status s = grad_input_phase<T>(a, h, w, workspace); s != Status::ok) return s;
    return Status::ok;
  });
}

constexpr int64_t kFewChannels = 8;  // a tile would be mostly empty
bool prefers_forward(const Conv2dArgs& a) { return a.shape.k / a.shape.groups >= kFewChannels; }
bool prefers_grad_input(const Conv2dArgs& a) { return a.shape.c / a.shape.groups >= kFewChannels; }
double forward_error(const Conv2dArgs& a) { return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.c / a.shape.groups * a.shape.r * a.shape.s)); }
double grad_input_error(const Conv2dArgs& a) {
  return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.k / a.shape.groups * a.shape.r * a.shape.s));
}

}  // namespace

TAPETUM_CANDIDATE(Conv2dArgs, conv2d_forward_implicit_gemm_cuda){
    .name = "implicit_gemm", .supports = is_indexable, .prefers = prefers_forward, .error = forward_error, .run = run_forward};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_input_implicit_gemm_cuda){
    .name = "implicit_gemm", .supports = is_indexable, .prefers = prefers_grad_input, .error = grad_input_error, .run = run_grad_input};

}  // namespace tapetum::kernels
