// depthwise: as many groups as channels on both sides, in channels_last: y[pixel, c] = sum over taps of x[pixel of the tap, c] w[tap, c].
// The filter is packed as [R S, C]. A thread has some neighbouring channels of some neighbouring pixels of a row: it reads a weight once for
// all of them. Memory is what counts: an image is read once, what taps share of it comes from the caches.
// grad_weight: a block has 32 channels of one tap and a part of the rows of y, 8 threads a channel; then the parts add up in order.
#include <algorithm>

#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/conv_epilogue.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/neighbours.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kPixels = 4;  // of a thread

// An image as the kernel walks it: what is read, and what is written.
struct Image {
  void* data;
  int h, w;
  int64_t n_stride, h_stride, w_stride;
};

struct Depthwise {
  Conv2dShape shape;
  Image in, out;
  const void *packed, *bias;
};

// The index that tap `r` reads for output index `i` of the primitive, or -1.
template <bool forward> __device__ int source(int i, int r, int64_t stride, int64_t padding, int64_t dilation, int size) {
  const int step = static_cast<int>(stride), shift = r * static_cast<int>(dilation) - static_cast<int>(padding);
  if (forward) {
    const int at = i * step + shift;
    return at >= 0 && at < size ? at : -1;
  }
  const int at = i - shift;
  return at >= 0 && at % step == 0 && at / step < size ? at / step : -1;
}

template <class T, int V, bool forward> __global__ void __launch_bounds__(kThreads) conv2d_depthwise_kernel(Depthwise d, Epilogue<T> epilogue) {
  using Values = Neighbours<T, V>;
  const Conv2dShape& z = d.shape;
  const int runs = static_cast<int>(z.c) / V, groups = (d.out.w + kPixels - 1) / kPixels, i = static_cast<int>(thread_number());
  if (i >= z.n * d.out.h * groups * runs) return;
  const int run = i / runs, c = i % runs * V, first = run % groups * kPixels, row = run / groups % d.out.h, n = run / groups / d.out.h;

  float sums[kPixels][V];
  for (int v = 0; v < V; ++v) {
    const float start = d.bias ? widen(static_cast<const T*>(d.bias)[c + v]) : 0.0f;
    for (int j = 0; j < kPixels; ++j) sums[j][v] = start;
  }
  for (int r = 0; r < z.r; ++r) {
    const int h = source<forward>(row, r, z.stride_h, z.padding_h, z.dilation_h, d.in.h);
    if (h < 0) continue;
    const T* line = static_cast<const T*>(d.in.data) + n * d.in.n_stride + h * d.in.h_stride + c;
    for (int s = 0; s < z.s; ++s) {
      const auto weights = *reinterpret_cast<const Values*>(static_cast<const T*>(d.packed) + (r * z.s + s) * z.c + c);
#pragma unroll
      for (int j = 0; j < kPixels; ++j) {
        const int w = source<forward>(first + j, s, z.stride_w, z.padding_w, z.dilation_w, d.in.w);
        if (w < 0) continue;
        const auto x = *reinterpret_cast<const Values*>(line + w * d.in.w_stride);
#pragma unroll
        for (int v = 0; v < V; ++v) sums[j][v] += widen(x.at[v]) * widen(weights.at[v]);
      }
    }
  }
  T* to = static_cast<T*>(d.out.data) + n * d.out.n_stride + row * d.out.h_stride + c;
#pragma unroll
  for (int j = 0; j < kPixels; ++j) {
    if (first + j >= d.out.w) continue;
    const T* residual = epilogue.at(n, c, row, first + j);
    Values values{}, added{};
    if (residual) added = *reinterpret_cast<const Values*>(residual);
#pragma unroll
    for (int v = 0; v < V; ++v) values.at[v] = narrow<T>(epilogue(sums[j][v], c + v, residual ? &added.at[v] : nullptr));
    *reinterpret_cast<Values*>(to + (first + j) * d.out.w_stride) = values;
  }
}

// One thread for each weight.
template <class T> __global__ void __launch_bounds__(kThreads) conv2d_depthwise_pack_kernel(Conv2dArgs a, T* packed) {
  const Conv2dShape& z = a.shape;
  const int64_t i = thread_number(), tap = i / z.c, c = i % z.c;
  if (i < z.c * z.r * z.s) packed[i] = static_cast<const T*>(a.w)[c * z.w_stride[0] + tap / z.s * z.w_stride[2] + tap % z.s * z.w_stride[3]];
}

constexpr int kBlockChannels = kWarp, kBlockPixels = kThreads / kWarp;

// sums [parts, taps, channels]
template <class T> __global__ void __launch_bounds__(kThreads) conv2d_grad_weight_depthwise_kernel(Conv2dArgs a, int64_t parts, float* sums) {
  __shared__ float of_thread[kBlockPixels][kBlockChannels];
  const Conv2dShape& z = a.shape;
  const int64_t tiles = (z.c + kBlockChannels - 1) / kBlockChannels, taps = z.r * z.s, block = blockIdx.x;
  const int64_t tap = block / tiles % taps, part = block / (tiles * taps), rows = z.n * z.p;
  const int r = static_cast<int>(tap / z.s), s = static_cast<int>(tap % z.s), height = static_cast<int>(z.h), width = static_cast<int>(z.w);
  const int channel = threadIdx.x % kBlockChannels, pixel = threadIdx.x / kBlockChannels;
  const int64_t c = block % tiles * kBlockChannels + channel;
  float sum = 0;
  for (int64_t row = part * rows / parts; c < z.c && row < (part + 1) * rows / parts; ++row) {
    const int64_t n = row / z.p, p = row % z.p;
    const int h = source<true>(static_cast<int>(p), r, z.stride_h, z.padding_h, z.dilation_h, height);
    if (h < 0) continue;
    const T* x = static_cast<const T*>(a.x) + n * z.x_stride[0] + h * z.x_stride[2] + c;
    const T* y = static_cast<const T*>(a.y) + n * z.y_stride[0] + p * z.y_stride[2] + c;
    for (int q = pixel; q < z.q; q += kBlockPixels) {
      const int w = source<true>(q, s, z.stride_w, z.padding_w, z.dilation_w, width);
      if (w >= 0) sum += widen(x[w * z.x_stride[3]]) * widen(y[q * z.y_stride[3]]);
    }
  }
  of_thread[pixel][channel] = sum;
  __syncthreads();
  if (pixel > 0 || c >= z.c) return;
  for (int i = 1; i < kBlockPixels; ++i) sum += of_thread[i][channel];
  sums[(part * taps + tap) * z.c + c] = sum;
}

template <class T>
__global__ void __launch_bounds__(kThreads) conv2d_grad_weight_depthwise_add_parts_kernel(Conv2dArgs a, int64_t parts, const float* sums) {
  const Conv2dShape& z = a.shape;
  const int64_t i = thread_number(), count = z.c * z.r * z.s, tap = i / z.c, c = i % z.c;
  if (i >= count) return;
  float sum = 0;
  for (int64_t part = 0; part < parts; ++part) sum += sums[part * count + i];
  static_cast<T*>(a.w)[c * z.w_stride[0] + tap / z.s * z.w_stride[2] + tap % z.s * z.w_stride[3]] = narrow<T>(sum);
}

Image image_of(void* data, int64_t h, int64_t w, const int64_t (&stride)[4]) {
  return {data, static_cast<int>(h), static_cast<int>(w), stride[0], stride[2], stride[3]};
}

// Runs of `v` channels, 16 bytes, lie side by side and begin at multiples of their size.
bool is_aligned(const void* data, const int64_t (&stride)[4], int64_t v) {
  return reinterpret_cast<uintptr_t>(data) % 16 == 0 && stride[1] == 1 && stride[0] % v == 0 && stride[2] % v == 0 && stride[3] % v == 0;
}

template <class T, bool forward> Status launch(const Conv2dArgs& a, const Workspace& workspace) {
  const Conv2dShape& z = a.shape;
  const Image x = image_of(a.x, z.h, z.w, z.x_stride), y = image_of(a.y, z.p, z.q, z.y_stride);
  const Depthwise d{z, forward ? x : y, forward ? y : x, workspace.data, a.bias};
  constexpr int kWide = 16 / sizeof(T);
  const bool wide = z.c % kWide == 0 && is_aligned(a.x, z.x_stride, kWide) && is_aligned(a.y, z.y_stride, kWide) &&
                    (!a.residual || is_aligned(a.residual, z.residual_stride, kWide));
  const int64_t threads = z.n * d.out.h * ((d.out.w + kPixels - 1) / kPixels) * (wide ? z.c / kWide : z.c);
  if (threads == 0) return Status::ok;
  const cudaError_t error =
      gpu::launch<conv2d_depthwise_pack_kernel<T>>(launch_threads(z.c * z.r * z.s, workspace), a, static_cast<T*>(workspace.data));
  if (error != cudaSuccess) return Status::device_error;
  const gpu::Launch at = launch_threads(threads, workspace);
  return status_of(wide ? gpu::launch<conv2d_depthwise_kernel<T, kWide, forward>>(at, d, Epilogue<T>(a))
                        : gpu::launch<conv2d_depthwise_kernel<T, 1, forward>>(at, d, Epilogue<T>(a)));
}
template <bool forward> Status run(const Conv2dArgs& a, Workspace& workspace) {
  return with_single_type(a.shape.dtype, [&]<class T>() { return launch<T, forward>(a, workspace); });
}
size_t workspace(const Conv2dArgs& a) { return static_cast<size_t>(a.shape.r * a.shape.s * a.shape.c + 1) * size_of(a.shape.dtype); }

// Enough blocks for the device, none without a row.
int64_t parts_of(const Conv2dShape& z) {
  constexpr int64_t kBlocks = 512;
  const int64_t blocks = std::max<int64_t>(1, (z.c + kBlockChannels - 1) / kBlockChannels * z.r * z.s);
  return std::max<int64_t>(1, std::min(z.n * z.p, (kBlocks + blocks - 1) / blocks));
}
size_t weight_workspace(const Conv2dArgs& a) { return static_cast<size_t>(parts_of(a.shape) * a.shape.c * a.shape.r * a.shape.s) * sizeof(float); }
Status run_weight(const Conv2dArgs& a, Workspace& workspace) {
  const Conv2dShape& z = a.shape;
  if (z.c == 0) return Status::ok;
  const int64_t parts = parts_of(z);
  auto* sums = static_cast<float*>(workspace.data);
  return with_single_type(z.dtype, [&]<class T>() {
    const unsigned blocks = blocks_for(z.c, kBlockChannels) * static_cast<unsigned>(z.r * z.s * parts);
    const cudaError_t error = gpu::launch<conv2d_grad_weight_depthwise_kernel<T>>(
        {.grid = dim3(blocks), .block = kThreads, .stream = stream_of(workspace)}, a, parts, sums);
    if (error != cudaSuccess) return Status::device_error;
    return status_of(gpu::launch<conv2d_grad_weight_depthwise_add_parts_kernel<T>>(launch_threads(z.c * z.r * z.s, workspace), a, parts, sums));
  });
}

bool supports(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  const int64_t pixels = std::max(z.n * z.h * z.w, z.n * z.p * z.q);
  return is_indexable(a) && pixels * z.c < INT32_MAX && z.c == z.groups && z.k == z.groups && z.x_stride[1] == 1 && z.y_stride[1] == 1;
}
double error(const Conv2dArgs& a) { return result_error(a, 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.r * a.shape.s))); }
double weight_error(const Conv2dArgs& a) { return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.n * a.shape.p * a.shape.q)); }

}  // namespace

TAPETUM_CANDIDATE(Conv2dArgs, conv2d_forward_depthwise_cuda){
    .name = "depthwise", .supports = supports, .workspace = workspace, .error = error, .run = run<true>};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_input_depthwise_cuda){
    .name = "depthwise", .supports = supports, .workspace = workspace, .error = error, .run = run<false>};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_weight_depthwise_cuda){
    .name = "depthwise", .supports = supports, .workspace = weight_workspace, .error = weight_error, .run = run_weight};

}  // namespace tapetum::kernels
