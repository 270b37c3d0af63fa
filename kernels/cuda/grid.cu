// Images read at a grid's places. Bound by memory, and by the caches where the
// places lie apart: forward, one thread an element of y, neighbours in memory
// side by side, which find the same taps again for each channel; grad_grid, one
// thread a place, all channels. Formulas: kernels/grid_taps.h.
//   grad_input: no two threads write one pixel, and each adds in the order of
// the grid. A block of threads owns a tile of pixels, a thread one of them for
// kChannels channels. It goes over all places of the image, 256 at a time: the
// threads find their taps, those that meet the tile are listed, and every thread
// adds what the listed places give to its pixel. Most of the work is finding
// taps, P Q of them for every tile; atomic sums would be quicker where images
// are large, but not the same twice.
#include "kernels/cuda/access.cuh"
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/images.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/grid_taps.h"

namespace tapetum::kernels {
namespace {

constexpr int kTile = 16, kChannels = 8;
static_assert(kTile * kTile == kThreads);

template <int n, class T> struct Taps2 {
  GridTaps<Compute<T>, n> rows, columns;
  __device__ Taps2(const GridSampleArgs& a, int64_t place) {
    const auto& z = a.shape;
    const T* g = static_cast<const T*>(a.grid) + 2 * place;
    rows = grid_taps<n>(widen(g[1]), z.h, z.padding, z.align_corners);
    columns = grid_taps<n>(widen(g[0]), z.w, z.padding, z.align_corners);
  }
};

template <int n, class T> __global__ void __launch_bounds__(kThreads) grid_sample_forward_threads_kernel(GridSampleArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= z.n * z.c * z.p * z.q) return;
  const Place p = place_of(at, z.c, z.p, z.q, z.y_stride[1] == 1);
  const Taps2<n, T> taps(a, (p.n * z.p + p.h) * z.q + p.w);
  Compute<T> sum = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const Place from{p.n, p.c, taps.rows.at[i], taps.columns.at[j]};
      if (from.h >= 0 && from.w >= 0)
        sum += taps.rows.weight[i] * taps.columns.weight[j] * widen(static_cast<const T*>(a.x)[offset_of(z.x_stride, from)]);
    }
  static_cast<T*>(a.y)[offset_of(z.y_stride, p)] = narrow<T>(sum);
}

template <int n, class T> __global__ void __launch_bounds__(kThreads) grid_sample_grad_grid_threads_kernel(GridSampleArgs a) {
  const auto& z = a.shape;
  const int64_t at = thread_number();
  if (at >= z.n * z.p * z.q) return;
  const Taps2<n, T> taps(a, at);
  const Place p{at / (z.p * z.q), 0, at / z.q % z.p, at % z.q};
  const T* y = static_cast<const T*>(a.y) + offset_of(z.y_stride, p);
  Compute<T> gx = 0, gy = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const Place from{p.n, 0, taps.rows.at[i], taps.columns.at[j]};
      if (from.h < 0 || from.w < 0) continue;
      const T* x = static_cast<const T*>(a.x) + offset_of(z.x_stride, from);
      Compute<T> product = 0;
      for (int64_t c = 0; c < z.c; ++c) product += widen(x[c * z.x_stride[1]]) * widen(y[c * z.y_stride[1]]);
      gx += taps.rows.weight[i] * taps.columns.slope[j] * product;
      gy += taps.rows.slope[i] * taps.columns.weight[j] * product;
    }
  static_cast<T*>(a.grad_grid)[2 * at] = narrow<T>(gx);
  static_cast<T*>(a.grad_grid)[2 * at + 1] = narrow<T>(gy);
}

// Whether a tap lies in [begin, begin + kTile).
template <class T, int n> __device__ bool meets(const GridTaps<T, n>& taps, int begin) {
  bool any = false;
  for (int k = 0; k < n; ++k) any = any || (taps.at[k] >= begin && taps.at[k] < begin + kTile);
  return any;
}
template <class T, int n> __device__ T weight_at(const int (&at)[n], const T (&weight)[n], int pixel) {
  T sum = 0;
  for (int k = 0; k < n; ++k) sum += at[k] == pixel ? weight[k] : T(0);
  return sum;
}

struct Tiles {
  int64_t rows, columns, groups;
  __host__ __device__ explicit Tiles(const GridSampleShape& z)
      : rows((z.h + kTile - 1) / kTile), columns((z.w + kTile - 1) / kTile), groups((z.c + kChannels - 1) / kChannels) {}
  __host__ __device__ int64_t per_image() const { return rows * columns * groups; }
};

template <int n, class T> __global__ void __launch_bounds__(kThreads) grid_sample_grad_input_tiles_kernel(GridSampleArgs a) {
  using C = Compute<T>;
  struct Listed {
    int row[n], column[n];
    C row_weight[n], column_weight[n];
    int64_t y;  // its element, channel 0
  };
  __shared__ Listed listed[kThreads];
  const auto& z = a.shape;
  const Tiles tiles(z);
  const int64_t image = blockIdx.x / tiles.per_image(), group = blockIdx.x / (tiles.rows * tiles.columns) % tiles.groups;
  const int top = static_cast<int>(blockIdx.x / tiles.columns % tiles.rows) * kTile, left = static_cast<int>(blockIdx.x % tiles.columns) * kTile;
  const int h = top + static_cast<int>(threadIdx.x) / kTile, w = left + static_cast<int>(threadIdx.x) % kTile;
  const int64_t first = group * kChannels;
  C sums[kChannels] = {};
  for (int64_t begin = 0; begin < z.p * z.q; begin += kThreads) {
    const int64_t at = begin + threadIdx.x;
    const bool exists = at < z.p * z.q;
    const Taps2<n, T> taps(a, image * z.p * z.q + (exists ? at : 0));
    const bool hits = exists && meets(taps.rows, top) && meets(taps.columns, left);
    int total;
    const int place = sum_before(static_cast<int>(hits), total);  // all threads wait there: none still reads the list before
    if (hits) {
      Listed& l = listed[place];
      for (int k = 0; k < n; ++k) {
        l.row[k] = taps.rows.at[k];
        l.column[k] = taps.columns.at[k];
        l.row_weight[k] = taps.rows.weight[k];
        l.column_weight[k] = taps.columns.weight[k];
      }
      l.y = offset_of(z.y_stride, Place{image, first, at / z.q, at % z.q});
    }
    __syncthreads();
    for (int i = 0; i < total; ++i) {
      const Listed& l = listed[i];
      const C weight = weight_at(l.row, l.row_weight, h) * weight_at(l.column, l.column_weight, w);
      if (weight == 0) continue;
      for (int c = 0; c < kChannels; ++c)
        if (first + c < z.c) sums[c] += weight * widen(static_cast<const T*>(a.y)[l.y + c * z.y_stride[1]]);
    }
  }
  if (h >= z.h || w >= z.w) return;
  for (int c = 0; c < kChannels; ++c)
    if (first + c < z.c) static_cast<T*>(a.x)[offset_of(z.x_stride, Place{image, first + c, h, w})] = narrow<T>(sums[c]);
}

// f.operator()<n, T>() for the call's number of taps and type.
template <class F> Status with_taps_and_type(const GridSampleArgs& a, F f) {
  return with_taps(a.shape.mode,
                   [&]<int n>() { return with_floating_type(a.shape.dtype, [&]<class T>() { return status_of(f.template operator()<n, T>()); }); });
}

Status forward(const GridSampleArgs& a, Workspace& w) {
  const auto& z = a.shape;
  if (z.n * z.c * z.p * z.q == 0) return Status::ok;
  const gpu::Launch at = launch_threads(z.n * z.c * z.p * z.q, w);
  return with_taps_and_type(a, [&]<int n, class T>() { return gpu::launch<grid_sample_forward_threads_kernel<n, T>>(at, a); });
}
Status grad_grid(const GridSampleArgs& a, Workspace& w) {
  const auto& z = a.shape;
  if (z.n * z.p * z.q == 0) return Status::ok;
  const gpu::Launch at = launch_threads(z.n * z.p * z.q, w);
  return with_taps_and_type(a, [&]<int n, class T>() { return gpu::launch<grid_sample_grad_grid_threads_kernel<n, T>>(at, a); });
}
Status grad_input(const GridSampleArgs& a, Workspace& w) {
  const auto& z = a.shape;
  if (z.n * z.c * z.h * z.w == 0) return Status::ok;
  const gpu::Launch at{.grid = dim3(static_cast<unsigned>(z.n * Tiles(z).per_image())), .block = kThreads, .stream = stream_of(w)};
  return with_taps_and_type(a, [&]<int n, class T>() { return gpu::launch<grid_sample_grad_input_tiles_kernel<n, T>>(at, a); });
}

bool supports(const GridSampleArgs& a) { return is_floating(a.shape.dtype); }

}  // namespace

TAPETUM_CANDIDATE(GridSampleArgs, grid_sample_forward_cuda){.name = "threads", .supports = supports, .error = grid_error, .run = forward};
TAPETUM_CANDIDATE(GridSampleArgs, grid_sample_grad_input_cuda){.name = "tiles", .supports = supports, .error = grid_error, .run = grad_input};
TAPETUM_CANDIDATE(GridSampleArgs, grid_sample_grad_grid_cuda){.name = "threads", .supports = supports, .error = grid_error, .run = grad_grid};

}  // namespace tapetum::kernels
