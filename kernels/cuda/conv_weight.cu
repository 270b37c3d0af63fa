// implicit_gemm of grad_weight: w[k, element] = sum over pixels of y[k, pixel] * patch[pixel, element]. The sums are long and w is small, so
// the pixels are split in parts, whose number follows from the shape: a block sums one tile of w over one part, then parts add up in order.
#include <algorithm>

#include "kernels/cuda/conv_correlation.cuh"
#include "kernels/cuda/gemm_tile.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

using WeightTile = Tile<float, 64, 64, 8, 4, 4>;

template <class T> struct WeightSums {
  Patches<T> x;
  const T* y;
  Strides y_stride;
  int channels;  // of y in a group
  int64_t groups, x_group;
  int64_t parts, pixels;  // in a part
  float* sums;            // [parts, channels of all groups, elements]
  int64_t sums_of_part() const { return channels * groups * x.elements.count; }
};

template <class T, bool channels_last>
__global__ void __launch_bounds__(WeightTile::kThreads, 2) conv2d_grad_weight_implicit_gemm_kernel(WeightSums<T> f) {
  const int64_t across = WeightTile::across(f.x.elements.count), down = WeightTile::down(f.channels);
  const int64_t tile = blockIdx.x % (across * down), group = blockIdx.x / (across * down) % f.groups, part = blockIdx.x / (across * down * f.groups);
  Patches<T> x = f.x;
  x.data += group * f.x_group;
  const int64_t first = group * f.channels, elements = x.elements.count;
  const ImageLines<T, !channels_last> gradients{{f.y + first * f.y_stride.c, f.y_stride.c, f.channels}, x.pixels, f.y_stride};
  const ElementLines<T, !channels_last> patches{x};
  float* sums = f.sums + (part * f.groups + group) * f.channels * elements;
  const int64_t begin = part * f.pixels, end = min(begin + f.pixels, static_cast<int64_t>(x.pixels.count));
  const auto store = [&](int64_t k, int64_t element, const auto& part_of) {
    if (k < f.channels)
      write_neighbours<WeightTile::kGroup>(
          elements - element, [&](int q) { return sums + k * elements + element + q; }, [&](int q) { return part_of[q]; });
  };
  multiply_tile<WeightTile>(gradients, patches, tile / across * WeightTile::kRows, tile % across * WeightTile::kColumns, begin, end, store);
}

// One thread for each weight.
template <class T> __global__ void __launch_bounds__(kThreads) conv2d_grad_weight_add_parts_kernel(WeightSums<T> f, T* w, Strides stride) {
  const int64_t i = thread_number(), elements = f.x.elements.count, count = f.channels * f.groups * elements;
  if (i >= count) return;
  float sum = 0;
  for (int64_t part = 0; part < f.parts; ++part) sum += f.sums[part * count + i];
  const Elements::At at = f.x.elements.at(static_cast<int>(i % elements));
  w[i / elements * stride.n + at.c * stride.c + at.r * stride.h + at.s * stride.w] = narrow<T>(sum);
}

// Parts of whole steps of the tile, each long enough to pay for its share of the sums; together enough blocks for the device.
template <class T> WeightSums<T> weight_sums(const Conv2dArgs& a) {
  constexpr int64_t kBlocks = 256, kLeast = 256;
  const Conv2dShape& z = a.shape;
  const Side<T> y = y_of<T>(a);
  const Patches<T> x = forward_patches<T>(a);
  const int64_t tiles = std::max<int64_t>(1, WeightTile::across(x.elements.count) * WeightTile::down(y.channels) * z.groups);
  const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(kBlocks / tiles, x.pixels.count / kLeast)), depth = WeightTile::kDepth;
  return {.x = x,
          .y = y.data,
          .y_stride = y.stride,
          .channels = static_cast<int>(y.channels),
          .groups = z.groups,
          .x_group = z.c / z.groups * z.x_stride[1],
          .parts = parts,
          .pixels = ((x.pixels.count + parts - 1) / parts + depth - 1) / depth * depth,
          .sums = nullptr};
}

size_t workspace_bytes(const Conv2dArgs& a) {
  const auto f = weight_sums<float>(a);
  return static_cast<size_t>(f.parts * f.sums_of_part()) * sizeof(float);
}

template <class T> Status run(const Conv2dArgs& a, const Workspace& workspace) {
  WeightSums<T> f = weight_sums<T>(a);
  f.sums = static_cast<float*>(workspace.data);
  const int64_t blocks = WeightTile::across(f.x.elements.count) * WeightTile::down(f.channels) * f.groups * f.parts;
  if (blocks == 0) return Status::ok;
  const gpu::Launch product{
      .grid = dim3(static_cast<unsigned>(blocks)), .block = WeightTile::kThreads, .smem = sizeof(WeightTile::Shared), .stream = stream_of(workspace)};
  const cudaError_t error = f.x.elements.channel_fastest ? gpu::launch<conv2d_grad_weight_implicit_gemm_kernel<T, true>>(product, f)
                                                         : gpu::launch<conv2d_grad_weight_implicit_gemm_kernel<T, false>>(product, f);
  if (error != cudaSuccess) return Status::device_error;
  const gpu::Launch sum = launch_threads(f.sums_of_part(), workspace);
  return status_of(gpu::launch<conv2d_grad_weight_add_parts_kernel<T>>(sum, f, static_cast<T*>(a.w), Strides(a.shape.w_stride)));
}

Status run_single(const Conv2dArgs& a, Workspace& workspace) {
  return with_single_type(a.shape.dtype, [&]<class T>() { return run<T>(a, workspace); });
}

constexpr int64_t kFewChannels = 8;  // a tile would be mostly empty
bool prefers(const Conv2dArgs& a) { return a.shape.k / a.shape.groups >= kFewChannels; }
double error(const Conv2dArgs& a) { return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.n * a.shape.p * a.shape.q)); }

}  // namespace

TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_weight_implicit_gemm_cuda){
    .name = "implicit_gemm", .supports = is_indexable, .prefers = prefers, .workspace = workspace_bytes, .error = error, .run = run_single};

}  // namespace tapetum::kernels
