// winograd_f2, winograd_f4: F(m x m, 3 x 3) for 3x3 filters of stride 1 in f32, as conv_precision() allows it. The image is cut in tiles of
// m x m outputs; each of the (m + 2)^2 elements of the transformed tiles is one matrix product over channels. 2.25 or 4 times fewer products
// than the convolution has, for reading and writing (m + 2)^2 / m^2 as many numbers: tiles are taken in batches whose transforms stay in L2.
// grad_input is the same with the filter rotated.
#include <algorithm>

#include "kernels/cuda/conv_correlation.cuh"
#include "kernels/cuda/gemm_tile.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/winograd.h"

namespace tapetum::kernels {
namespace {

// y = x * filter, whatever the primitive calls them.
struct Problem {
  const float *in, *filter, *bias;
  Epilogue<float> epilogue;
  float* out;
  Strides in_stride, out_stride;
  FilterStrides filter_stride;
  int h, w, p, q, c, k, padding_h, padding_w;
  bool channels_last;  // neighbouring threads then have neighbouring channels, else tiles
};

Problem problem(const Conv2dArgs& a, const Side<float>& in, const Side<float>& out, const float* filter, const FilterStrides& filter_stride,
                int64_t padding_h, int64_t padding_w) {
  return {.in = in.data,
          .filter = filter,
          .bias = static_cast<const float*>(a.bias),
          .epilogue = Epilogue<float>(a),
          .out = out.data,
          .in_stride = in.stride,
          .out_stride = out.stride,
          .filter_stride = filter_stride,
          .h = static_cast<int>(in.h),
          .w = static_cast<int>(in.w),
          .p = static_cast<int>(out.h),
          .q = static_cast<int>(out.w),
          .c = static_cast<int>(in.channels),
          .k = static_cast<int>(out.channels),
          .padding_h = static_cast<int>(padding_h),
          .padding_w = static_cast<int>(padding_w),
          .channels_last = in.stride.c == 1};
}
Problem forward_problem(const Conv2dArgs& a) {
  return problem(a, x_of<float>(a), y_of<float>(a), static_cast<const float*>(a.w), FilterStrides(a.shape.w_stride), a.shape.padding_h,
                 a.shape.padding_w);
}
Problem grad_input_problem(const Conv2dArgs& a) {
  FilterStrides rotated = FilterStrides(a.shape.w_stride).swapped();
  rotated.r = -rotated.r, rotated.s = -rotated.s;
  const float* last = static_cast<const float*>(a.w) - 2 * (rotated.r + rotated.s);
  return problem(a, y_of<float>(a), x_of<float>(a), last, rotated, 2 - a.shape.padding_h, 2 - a.shape.padding_w);
}

// A batch of tiles, and its transforms in the workspace. Of each element t of the tiles:
//   u[t]  filter [k, c]    v[t]  input, products[t]  output: [tile, channel] if channels are last, else [channel, tile]
template <int m> struct Batch {
  static constexpr int kTile = Winograd<m>::tile, kElements = kTile * kTile;
  int first, count;
  float *u, *v, *products;
};

struct TileAt {
  int64_t n;
  int h, w;  // of the first output
};
template <int m> __device__ TileAt tile_at(const Problem& p, int tile) {
  const int across = (p.q + m - 1) / m, down = (p.p + m - 1) / m;
  return {tile / across / down, tile / across % down * m, tile % across * m};
}
// Which channel of which tile of the batch a thread has, and where that lies among those of an element.
struct Share {
  int tile, channel;
  int64_t place;
};
__device__ Share share_of(int64_t i, int tiles, int channels, bool channels_last) {
  if (channels_last) return {static_cast<int>(i / channels), static_cast<int>(i % channels), i};
  return {static_cast<int>(i % tiles), static_cast<int>(i / tiles), i};
}

// The one-dimensional transform f along both axes: store(t, f(f(load(t)))), t counting rows of `from` and `to` elements.
template <int from, int to, auto f, class Load, class Store> __device__ void transform(Load load, Store store) {
  float half[from][to];
#pragma unroll
  for (int i = 0; i < from; ++i) {
    float row[from];
#pragma unroll
    for (int j = 0; j < from; ++j) row[j] = load(i * from + j);
    f(row, half[i]);
  }
#pragma unroll
  for (int j = 0; j < to; ++j) {
    float column[from], result[to];
#pragma unroll
    for (int i = 0; i < from; ++i) column[i] = half[i][j];
    f(column, result);
#pragma unroll
    for (int i = 0; i < to; ++i) store(i * to + j, result[i]);
  }
}

// U = G g G^T; one thread for each pair of channels.
template <int m> __global__ void __launch_bounds__(kThreads) conv2d_winograd_filter_kernel(Problem p, Batch<m> b) {
  const int64_t i = thread_number(), size = int64_t{p.k} * p.c;
  if (i >= size) return;
  const float* g = p.filter + i / p.c * p.filter_stride.k + i % p.c * p.filter_stride.c;
  transform<3, Batch<m>::kTile, Winograd<m>::template filter<float>>([&](int t) { return g[t / 3 * p.filter_stride.r + t % 3 * p.filter_stride.s]; },
                                                                     [&](int t, float u) { b.u[t * size + i] = u; });
}

// V = B^T d B; one thread for each channel of each tile.
template <int m> __global__ void __launch_bounds__(kThreads) conv2d_winograd_input_kernel(Problem p, Batch<m> b) {
  constexpr int kTile = Batch<m>::kTile;
  const int64_t i = thread_number(), size = int64_t{b.count} * p.c;
  if (i >= size) return;
  const Share share = share_of(i, b.count, p.c, p.channels_last);
  const TileAt at = tile_at<m>(p, b.first + share.tile);
  const float* image = p.in + at.n * p.in_stride.n + share.channel * p.in_stride.c;
  transform<kTile, kTile, Winograd<m>::template input<float>>(
      [&](int t) {
        const int h = at.h + t / kTile - p.padding_h, w = at.w + t % kTile - p.padding_w;
        return h >= 0 && h < p.h && w >= 0 && w < p.w ? image[h * p.in_stride.h + w * p.in_stride.w] : 0.0f;
      },
      [&](int t, float v) { b.v[t * size + share.place] = v; });
}

// Y = A^T M A; one thread for each channel of each tile.
template <int m> __global__ void __launch_bounds__(kThreads) conv2d_winograd_output_kernel(Problem p, Batch<m> b) {
  const int64_t i = thread_number(), size = int64_t{b.count} * p.k;
  if (i >= size) return;
  const Share share = share_of(i, b.count, p.k, p.channels_last);
  const TileAt at = tile_at<m>(p, b.first + share.tile);
  float* image = p.out + at.n * p.out_stride.n + share.channel * p.out_stride.c;
  const float* residual = p.epilogue.at(at.n, share.channel, 0, 0);
  const float bias = p.bias ? p.bias[share.channel] : 0.0f;
  transform<Batch<m>::kTile, m, Winograd<m>::template output<float>>(
      [&](int t) { return b.products[t * size + share.place]; },
      [&](int t, float y) {
        const int h = at.h + t / m, w = at.w + t % m;
        if (h >= p.p || w >= p.q) return;
        const float* added = residual ? residual + h * p.epilogue.stride.h + w * p.epilogue.stride.w : nullptr;
        image[h * p.out_stride.h + w * p.out_stride.w] = p.epilogue(y + bias, share.channel, added);
      });
}

// A dense operand; a step is its offset, negative outside.
template <bool along_depth> struct DenseLines {
  static constexpr bool kAlongDepth = along_depth;
  const float* data;
  int lines, steps;
  using Line = const float*;  // null: outside
  using Step = int64_t;
  __device__ Line line(int64_t i) const { return i < lines ? data + i * (along_depth ? steps : 1) : nullptr; }
  __device__ Step step(int64_t l) const { return l < steps ? l * (along_depth ? 1 : lines) : -1; }
  __device__ float read(Line line, Step step) const { return line && step >= 0 ? line[step] : 0.0f; }
};

using ProductTile = Tile<float, 64, 64, 16, 4, 4>;

// products[t] = v[t] u[t]^T, a block for each tile of each.
template <int m, bool channels_last>
__global__ void __launch_bounds__(ProductTile::kThreads, 2) conv2d_winograd_product_kernel(Problem p, Batch<m> b) {
  const int rows = channels_last ? b.count : p.k, columns = channels_last ? p.k : b.count;
  const int64_t across = ProductTile::across(columns), down = ProductTile::down(rows), t = blockIdx.x / (across * down),
                tile = blockIdx.x % (across * down);
  const DenseLines<channels_last> inputs{b.v + t * b.count * p.c, b.count, p.c};
  const DenseLines<true> filters{b.u + t * p.k * p.c, p.k, p.c};
  float* products = b.products + t * b.count * p.k;
  const auto store = [&](int64_t i, int64_t j, const auto& sums) {
    if (i < rows)
      write_neighbours<ProductTile::kGroup>(
          columns - j, [&](int q) { return products + i * columns + j + q; }, [&](int q) { return sums[q]; });
  };
  const int64_t row = tile / across * ProductTile::kRows, column = tile % across * ProductTile::kColumns;
  if constexpr (channels_last)
    multiply_tile<ProductTile>(inputs, filters, row, column, 0, p.c, store);
  else
    multiply_tile<ProductTile>(filters, inputs, row, column, 0, p.c, store);
}

template <int m> int64_t tiles_of(const Conv2dShape& z, const Problem& p) { return z.n * ((p.p + m - 1) / m) * ((p.q + m - 1) / m); }

// As many tiles at once as have transforms of 32 MiB, but enough to fill a tile of the products.
template <int m> int64_t tiles_at_once(const Conv2dShape& z, const Problem& p) {
  constexpr int64_t kFloats = int64_t{1} << 23, kLeast = 256;
  return std::min(tiles_of<m>(z, p), std::max(kLeast, kFloats / (Batch<m>::kElements * (p.c + p.k))));
}

template <int m, auto problem_of> size_t workspace(const Conv2dArgs& a) {
  const Problem p = problem_of(a);
  return static_cast<size_t>(Batch<m>::kElements * (tiles_at_once<m>(a.shape, p) * (p.c + p.k) + int64_t{p.c} * p.k)) * sizeof(float);
}

template <int m> Status run_batch(const Problem& p, const Batch<m>& b, const Workspace& workspace) {
  cudaError_t error = gpu::launch<conv2d_winograd_input_kernel<m>>(launch_threads(int64_t{b.count} * p.c, workspace), p, b);
  if (error != cudaSuccess) return Status::device_error;
  const int64_t rows = p.channels_last ? b.count : p.k, columns = p.channels_last ? p.k : b.count;
  const gpu::Launch product{.grid = dim3(static_cast<unsigned>(ProductTile::down(rows) * ProductTile::across(columns) * Batch<m>::kElements)),
                            .block = ProductTile::kThreads,
                            .smem = sizeof(ProductTile::Shared),
                            .stream = stream_of(workspace)};
  error = p.channels_last ? gpu::launch<conv2d_winograd_product_kernel<m, true>>(product, p, b)
                          : gpu::launch<conv2d_winograd_product_kernel<m, false>>(product, p, b);
  if (error != cudaSuccess) return Status::device_error;
  return status_of(gpu::launch<conv2d_winograd_output_kernel<m>>(launch_threads(int64_t{b.count} * p.k, workspace), p, b));
}

template <int m, auto problem_of> Status run(const Conv2dArgs& a, Workspace& workspace) {
  const Problem p = problem_of(a);
  const int64_t tiles = tiles_of<m>(a.shape, p), at_once = tiles_at_once<m>(a.shape, p), elements = Batch<m>::kElements;
  if (tiles == 0) return Status::ok;
  float* u = static_cast<float*>(workspace.data);
  float* v = u + elements * p.c * p.k;
  Batch<m> b{0, 0, u, v, v + elements * at_once * p.c};
  if (gpu::launch<conv2d_winograd_filter_kernel<m>>(launch_threads(int64_t{p.c} * p.k, workspace), p, b) != cudaSuccess) return Status::device_error;
  for (int64_t first = 0; first < tiles; first += at_once) {
    b.first = static_cast<int>(first), b.count = static_cast<int>(std::min(at_once, tiles - first));
    if (Status s = run_batch(p, b, workspace); s != Status::ok) return s;
  }
  return Status::ok;
}

bool supports(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  return z.dtype == DType::f32 && is_indexable(a) && z.groups == 1 && z.r == 3 && z.s == 3 && z.stride_h == 1 && z.stride_w == 1 &&
         z.dilation_h == 1 && z.dilation_w == 1 && z.c > 0 && z.k > 0;
}
// Few channels make short sums of transforms that cost more than they save.
template <int m, auto problem_of> bool prefers(const Conv2dArgs& a) {
  constexpr int64_t kManyChannels = 32, kManyTiles = 64;
  return conv_precision() == (m == 4 ? ConvPrecision::f4 : ConvPrecision::f2) && std::min(a.shape.c, a.shape.k) >= kManyChannels &&
         tiles_of<m>(a.shape, problem_of(a)) >= kManyTiles;
}
// As on the CPU: F(4x4) errs by 3e-5 of the result's deviation at 1024 channels, growing with their root.
template <int m, auto problem_of> double error(const Conv2dArgs& a) {
  const double c = problem_of(a).c;
  return result_error(a, (m == 4 ? 64 : 16) + (m == 4 ? 16 : 4) * __builtin_sqrt(c));
}

}  // namespace

#define WINOGRAD(role, m)                                                                                                            \
  TAPETUM_CANDIDATE(Conv2dArgs, conv2d_##role##_winograd_f##m##_cuda) {                                                              \
    .name = "winograd_f" #m, .supports = supports, .prefers = prefers<m, role##_problem>, .workspace = workspace<m, role##_problem>, \
    .error = error<m, role##_problem>, .run = run<m, role##_problem>                                                                 \
  }

WINOGRAD(forward, 2);
WINOGRAD(forward, 4);
WINOGRAD(grad_input, 2);
WINOGRAD(grad_input, 4);

}  // namespace tapetum::kernels
