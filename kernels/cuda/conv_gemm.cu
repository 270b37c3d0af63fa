// implicit_gemm: forward and grad_input, a block for each tile of output pixels and channels. An image is read once for every 64 channels
// (the taps of a pixel meet in the caches), the filter once for every 128 pixels.
#include "kernels/cuda/conv_correlation.cuh"
#include "kernels/cuda/gemm_tile.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

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
  const FilterLines<T, filter_along_depth> filters{{f.filter + group * f.filter_group, f.filter_stride.k, f.channels}, in.elements, f.filter_stride};
  const T* bias = f.bias ? f.bias + group * f.channels : nullptr;
  T* out = f.out + group * f.out_group;

  const auto place = [&](int64_t i, int64_t k) {
    const Pixels::At at = in.pixels.at(static_cast<int>(i));
    return out + at.n * f.out_stride.n + k * f.out_stride.c + at.h * f.out_stride.h + at.w * f.out_stride.w;
  };
  const auto finish = [&](int64_t i, int64_t k, float sum) {
    const Pixels::At at = in.pixels.at(static_cast<int>(i));
    const int64_t c = group * f.channels + k;
    return narrow<T>(f.epilogue(bias ? sum + widen(bias[k]) : sum, c, f.epilogue.at(at.n, c, at.h, at.w)));
  };
  using Tile = PixelTile<channels, channels_last>;
  const auto store = [&](int64_t row, int64_t column, const auto& sums) {
    const int64_t rows = channels_last ? in.pixels.count : f.channels, columns = channels_last ? f.channels : in.pixels.count;
    if (row >= rows) return;
    write_neighbours<Tile::kGroup>(
        columns - column, [&](int q) { return channels_last ? place(row, column + q) : place(column + q, row); },
        [&](int q) { return channels_last ? finish(row, column + q, sums[q]) : finish(column + q, row, sums[q]); });
  };
  if constexpr (channels_last)
    multiply_tile<Tile>(patches, filters, pixel, channel, 0, in.elements.count, store);
  else
    multiply_tile<Tile>(filters, patches, channel, pixel, 0, in.elements.count, store);
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

Status run_forward(const Conv2dArgs& a, Workspace& workspace) {
  return with_single_type(a.shape.dtype, [&]<class T>() { return launch(forward_correlation<T>(a), workspace); });
}
Status run_grad_input(const Conv2dArgs& a, Workspace& workspace) {
  return with_single_type(a.shape.dtype, [&]<class T>() {
    return for_phases(a.shape, [&](int64_t h, int64_t w) { return launch(grad_input_correlation<T>(a, h, w), workspace); });
  });
}

constexpr int64_t kFewChannels = 8;  // a tile would be mostly empty
bool prefers_forward(const Conv2dArgs& a) { return a.shape.k / a.shape.groups >= kFewChannels; }
bool prefers_grad_input(const Conv2dArgs& a) { return a.shape.c / a.shape.groups >= kFewChannels; }
double forward_error(const Conv2dArgs& a) {
  return result_error(a, 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.c / a.shape.groups * a.shape.r * a.shape.s)));
}
double grad_input_error(const Conv2dArgs& a) {
  return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.k / a.shape.groups * a.shape.r * a.shape.s));
}

}  // namespace

TAPETUM_CANDIDATE(Conv2dArgs, conv2d_forward_implicit_gemm_cuda){
    .name = "implicit_gemm", .supports = is_indexable, .prefers = prefers_forward, .error = forward_error, .run = run_forward};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_input_implicit_gemm_cuda){
    .name = "implicit_gemm", .supports = is_indexable, .prefers = prefers_grad_input, .error = grad_input_error, .run = run_grad_input};

}  // namespace tapetum::kernels
