// implicit_gemm_mma: the three primitives on tensor cores in f16 and bf16, for channels_last images of multiples of 8 channels, which are
// read in chunks of 8. The filter is read as [K, R, S, C]; in another order it is packed first.
// FLOPs: 2 N P Q K C R S / groups. With tiles of r x s elements an image is read channels / s times (its taps meet in the caches).
#include "kernels/cuda/conv_correlation.cuh"
#include "kernels/cuda/mma_product.cuh"

namespace tapetum::kernels {
namespace {

constexpr int kChunk = 8;

// A chunk exists or not as a whole. (Nothing is read at `elsewhere`.)
__device__ Chunk chunk_at(const void* p, const void* elsewhere) { return {p ? p : elsewhere, p ? 16 : 0}; }

// PixelLines or ElementLines of the group that begins `offset` after the data.
template <class T, class Lines> struct PatchChunks : Lines {
  int64_t offset;
  __device__ Chunk chunk(const typename Lines::Line& line, const typename Lines::Step& step) const {
    const T* p = this->patches.find(line, step);
    return chunk_at(p ? p + offset : nullptr, this->patches.data);
  }
};
// ChannelLines, either of filters or of images.
template <class T, class Lines> struct ChannelChunks : Lines {
  __device__ Chunk chunk(const T* line, int64_t step) const { return chunk_at(line && step >= 0 ? line + step : nullptr, this->data); }
};

template <class T, bool filter_along_depth> struct CorrelationProduct {
  Correlation<T> f;
  bool chunked_output;
  int rows, columns, depth, count;
  CorrelationProduct(const Correlation<T>& c, bool chunked)
      : f(c), chunked_output(chunked), rows(c.in.pixels.count), columns(c.channels), depth(c.in.elements.count), count(static_cast<int>(c.groups)) {}

  __device__ PatchChunks<T, PixelLines<T, true>> a(int group) const { return {{f.in}, group * f.in_group}; }
  __device__ auto b(int group) const {
    using Lines = FilterLines<T, filter_along_depth>;
    return ChannelChunks<T, Lines>{Lines{{f.filter + group * f.filter_group, f.filter_stride.k, f.channels}, f.in.elements, f.filter_stride}};
  }
  template <int kAcross> __device__ void finish(int group, const float (&sums)[kAcross][4], int row, int column) const {
    const T* bias = f.bias ? f.bias + group * f.channels : nullptr;
    T* out = f.out + group * f.out_group;
    const auto bias_of = [&](int k) { return bias && k < columns ? widen(bias[k]) : 0.0f; };
    const auto finish = [&](int i, int k, float(&pair)[2]) {
      if (f.epilogue.is_nothing() || i >= rows) return;
      const Pixels::At at = f.in.pixels.at(i);
      const int c = group * columns + k;
      const T* residual = f.epilogue.at(at.n, c, at.h, at.w);
#pragma unroll
      for (int q = 0; q < 2; ++q)
        if (k + q < columns) pair[q] = f.epilogue(pair[q], c + q, residual ? residual + q * f.epilogue.stride.c : nullptr);
    };
    store_fragments<T>(sums, row, column, bias_of, finish, [&](int i, int k, const auto& run) {
      if (i >= rows) return;
      const Pixels::At at = f.in.pixels.at(i);
      T* to = out + at.n * f.out_stride.n + at.h * f.out_stride.h + at.w * f.out_stride.w + k * f.out_stride.c;
      store_run(to, f.out_stride.c, run, columns - k, chunked_output);
    });
  }
};

// w[k, element] = sum over pixels of y[k, pixel] * patch[pixel, element]
template <class T> struct WeightProduct {
  Patches<T> x;
  const T* y;
  Strides y_stride;
  T* w;
  Strides w_stride;
  int64_t x_group;
  bool chunked_output;
  int rows, columns, depth, count;
  explicit WeightProduct(const Conv2dArgs& a);

  __device__ auto a(int group) const {
    using Lines = ImageLines<T, false>;
    return ChannelChunks<T, Lines>{Lines{{y + group * rows, 1, rows}, x.pixels, y_stride}};
  }
  __device__ PatchChunks<T, ElementLines<T, false>> b(int group) const { return {{x}, group * x_group}; }
  template <int kAcross> __device__ void finish(int group, const float (&sums)[kAcross][4], int row, int column) const {
    store_fragments<T>(
        sums, row, column, [](int) { return 0.0f; },
        [&](int k, int element, const auto& run) {
          if (k >= rows || element >= columns) return;
          const Elements::At at = x.elements.at(element);
          T* to = w + (group * rows + k) * w_stride.n + at.c * w_stride.c + at.r * w_stride.h + at.s * w_stride.w;
          store_run(to, w_stride.c, run, kChunk, chunked_output);
        });
  }
};

// Runs of 8 channels lie side by side and aligned.
bool is_chunked(const void* data, const int64_t (&stride)[4], int64_t n, int64_t h, int64_t w) {
  const auto whole = [](int64_t size, int64_t step) { return size == 1 || step % kChunk == 0; };
  return reinterpret_cast<uintptr_t>(data) % 16 == 0 && stride[1] == 1 && whole(n, stride[0]) && whole(h, stride[2]) && whole(w, stride[3]);
}
bool is_x_chunked(const Conv2dArgs& a) { return is_chunked(a.x, a.shape.x_stride, a.shape.n, a.shape.h, a.shape.w); }
bool is_y_chunked(const Conv2dArgs& a) { return is_chunked(a.y, a.shape.y_stride, a.shape.n, a.shape.p, a.shape.q); }
bool is_w_chunked(const Conv2dArgs& a) { return is_chunked(a.w, a.shape.w_stride, a.shape.k, a.shape.r, a.shape.s); }

template <class T>
WeightProduct<T>::WeightProduct(const Conv2dArgs& a)
    : x(forward_patches<T>(a)),
      y(static_cast<const T*>(a.y)),
      y_stride(a.shape.y_stride),
      w(static_cast<T*>(a.w)),
      w_stride(a.shape.w_stride),
      x_group(a.shape.c / a.shape.groups * a.shape.x_stride[1]),
      chunked_output(is_w_chunked(a)),
      rows(static_cast<int>(a.shape.k / a.shape.groups)),
      columns(x.elements.count),
      depth(x.pixels.count),
      count(static_cast<int>(a.shape.groups)) {}

template <class Tile, bool filter_along_depth>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    conv2d_implicit_gemm_mma_kernel(CorrelationProduct<typename Tile::T, filter_along_depth> p, Parts parts) {
  multiply_part<Tile>(p, parts);
}
template <class Tile, bool filter_along_depth>
__global__ void __launch_bounds__(Tile::kThreads)
    conv2d_implicit_gemm_mma_add_parts_kernel(CorrelationProduct<typename Tile::T, filter_along_depth> p, Parts parts) {
  add_parts<Tile>(p, parts);
}
template <class Tile>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    conv2d_grad_weight_implicit_gemm_mma_kernel(WeightProduct<typename Tile::T> p, Parts parts) {
  multiply_part<Tile>(p, parts);
}
template <class Tile>
__global__ void __launch_bounds__(Tile::kThreads)
    conv2d_grad_weight_implicit_gemm_mma_add_parts_kernel(WeightProduct<typename Tile::T> p, Parts parts) {
  add_parts<Tile>(p, parts);
}

// One thread for each weight: [K, C, R, S] of any strides to dense [K, R, S, C].
__global__ void __launch_bounds__(kThreads)
    conv2d_implicit_gemm_mma_pack_kernel(const uint16_t* w, Strides stride, int64_t count, int c, int r, int s, uint16_t* packed) {
  const int64_t i = thread_number();
  if (i < count) packed[i] = w[i / (c * r * s) * stride.n + i % c * stride.c + i / (c * s) % r * stride.h + i / c % s * stride.w];
}

int64_t weights_of(const Conv2dShape& z) { return z.k * (z.c / z.groups) * z.r * z.s; }
size_t packed_bytes(const Conv2dArgs& a) {
  return is_w_chunked(a) ? 0 : (static_cast<size_t>(weights_of(a.shape)) * sizeof(uint16_t) + 15) / 16 * 16;
}
// Makes the filter one that can be read in chunks.
Status pack_filter(Conv2dArgs& a, const Workspace& workspace) {
  Conv2dShape& z = a.shape;
  const int64_t count = weights_of(z), c = z.c / z.groups;
  if (is_w_chunked(a) || count == 0) return Status::ok;
  auto* packed = static_cast<uint16_t*>(workspace.data);
  const cudaError_t error =
      gpu::launch<conv2d_implicit_gemm_mma_pack_kernel>(launch_threads(count, workspace), static_cast<const uint16_t*>(a.w), Strides(z.w_stride),
                                                        count, static_cast<int>(c), static_cast<int>(z.r), static_cast<int>(z.s), packed);
  a.w = packed;
  z.w_stride[0] = z.r * z.s * c, z.w_stride[1] = 1, z.w_stride[2] = z.s * c, z.w_stride[3] = c;
  return status_of(error);
}

template <class T> using Wide = MmaTile<T, 128, 128, 64, 32, 4>;
template <class T> using Tall = MmaTile<T, 128, 64, 64, 32, 4>;  // for few channels
template <class T> using Small = MmaTile<T, 64, 64, 32, 32, 4>;

template <class T, class Product, class F> auto with_tile(const Product& p, F f) {
  if (prefers_large<Wide<T>>(p)) return f.template operator()<Wide<T>>();
  return prefers_large<Tall<T>>(p) ? f.template operator()<Tall<T>>() : f.template operator()<Small<T>>();
}

template <bool filter_along_depth, class T> Status launch(const Correlation<T>& f, bool chunked_output, void* sums, const Workspace& workspace) {
  const CorrelationProduct<T, filter_along_depth> p(f, chunked_output);
  return with_tile<T>(p, [&]<class Tile>() {
    return launch_product<Tile, conv2d_implicit_gemm_mma_kernel<Tile, filter_along_depth>,
                          conv2d_implicit_gemm_mma_add_parts_kernel<Tile, filter_along_depth>>(p, sums, stream_of(workspace));
  });
}
template <class T> size_t bytes_of_parts(const Correlation<T>& f) {
  const CorrelationProduct<T, true> p(f, true);
  return with_tile<T>(p, [&]<class Tile>() { return bytes_of_parts<Tile>(p); });
}

template <class F> auto with_16_bit_type(DType t, F f) { return t == DType::f16 ? f.template operator()<Half>() : f.template operator()<BFloat16>(); }
void* behind_filter(const Conv2dArgs& a, const Workspace& workspace) { return static_cast<char*>(workspace.data) + packed_bytes(a); }

size_t forward_bytes(const Conv2dArgs& a) {
  return with_16_bit_type(a.shape.dtype, [&]<class T>() { return packed_bytes(a) + bytes_of_parts(forward_correlation<T>(a)); });
}
Status run_forward(const Conv2dArgs& a, Workspace& workspace) {
  Conv2dArgs packed = a;
  if (Status s = pack_filter(packed, workspace); s != Status::ok) return s;
  return with_16_bit_type(a.shape.dtype, [&]<class T>() {
    return launch<true>(forward_correlation<T>(packed), is_y_chunked(a), behind_filter(a, workspace), workspace);
  });
}

size_t grad_input_bytes(const Conv2dArgs& a) {
  return with_16_bit_type(a.shape.dtype, [&]<class T>() {
    size_t most = 0;
    for_phases(a.shape, [&](int64_t h, int64_t w) {
      most = std::max(most, bytes_of_parts(grad_input_correlation<T>(a, h, w)));
      return Status::ok;
    });
    return packed_bytes(a) + most;
  });
}
Status run_grad_input(const Conv2dArgs& a, Workspace& workspace) {
  Conv2dArgs packed = a;
  if (Status s = pack_filter(packed, workspace); s != Status::ok) return s;
  return with_16_bit_type(a.shape.dtype, [&]<class T>() {
    return for_phases(a.shape, [&](int64_t h, int64_t w) {
      return launch<false>(grad_input_correlation<T>(packed, h, w), is_x_chunked(a), behind_filter(a, workspace), workspace);
    });
  });
}

size_t grad_weight_bytes(const Conv2dArgs& a) {
  return with_16_bit_type(a.shape.dtype, [&]<class T>() {
    const WeightProduct<T> p(a);
    return with_tile<T>(p, [&]<class Tile>() { return bytes_of_parts<Tile>(p); });
  });
}
Status run_grad_weight(const Conv2dArgs& a, Workspace& workspace) {
  return with_16_bit_type(a.shape.dtype, [&]<class T>() {
    const WeightProduct<T> p(a);
    return with_tile<T>(p, [&]<class Tile>() {
      return launch_product<Tile, conv2d_grad_weight_implicit_gemm_mma_kernel<Tile>, conv2d_grad_weight_implicit_gemm_mma_add_parts_kernel<Tile>>(
          p, workspace.data, stream_of(workspace));
    });
  });
}

bool is_16_bit(const Conv2dArgs& a) { return (a.shape.dtype == DType::f16 || a.shape.dtype == DType::bf16) && is_indexable(a); }
bool has_chunks_of_c(const Conv2dArgs& a) { return a.shape.c / a.shape.groups % kChunk == 0 && a.shape.c > 0; }
bool has_chunks_of_k(const Conv2dArgs& a) { return a.shape.k / a.shape.groups % kChunk == 0 && a.shape.k > 0; }
bool supports_forward(const Conv2dArgs& a) { return is_16_bit(a) && has_chunks_of_c(a) && is_x_chunked(a); }
bool supports_grad_input(const Conv2dArgs& a) { return is_16_bit(a) && has_chunks_of_c(a) && has_chunks_of_k(a) && is_y_chunked(a); }
bool supports_grad_weight(const Conv2dArgs& a) { return supports_grad_input(a) && is_x_chunked(a); }

// Tensor cores cut off what they shift out of a sum, each 16 products once.
double error_of(int64_t products) {
  const double n = static_cast<double>(products);
  return 8 + 2 * __builtin_sqrt(n) + n / 16;
}
double forward_error(const Conv2dArgs& a) { return result_error(a, error_of(a.shape.c / a.shape.groups * a.shape.r * a.shape.s)); }
double grad_input_error(const Conv2dArgs& a) { return error_of(a.shape.k / a.shape.groups * a.shape.r * a.shape.s); }
double grad_weight_error(const Conv2dArgs& a) { return error_of(a.shape.n * a.shape.p * a.shape.q); }

}  // namespace

TAPETUM_CANDIDATE(Conv2dArgs, conv2d_forward_implicit_gemm_mma_cuda){
    .name = "implicit_gemm_mma", .supports = supports_forward, .workspace = forward_bytes, .error = forward_error, .run = run_forward};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_input_implicit_gemm_mma_cuda){
    .name = "implicit_gemm_mma", .supports = supports_grad_input, .workspace = grad_input_bytes, .error = grad_input_error, .run = run_grad_input};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_weight_implicit_gemm_mma_cuda){.name = "implicit_gemm_mma",
                                                                         .supports = supports_grad_weight,
                                                                         .workspace = grad_weight_bytes,
                                                                         .error = grad_weight_error,
                                                                         .run = run_grad_weight};

}  // namespace tapetum::kernels
