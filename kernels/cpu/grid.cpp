// A place's taps are found once and serve all channels: where these lie innermost registers run over them, else one after the other. Forward and
// grad_grid spread the grid's rows over the threads, grad_input blocks of channels, each of which walks the grid in order.
#include "kernels/grid.h"

#include "kernels/cpu/vec.h"
#include "kernels/grid_taps.h"
#include "kernels/parallel.h"
#include "kernels/round.h"

namespace tapetum::kernels {
namespace {

bool supports(const GridSampleArgs& a) { return serves(a.shape.dtype); }

bool channels_innermost(const GridSampleShape& z) { return z.x_stride[1] == 1 && z.y_stride[1] == 1; }

// The pixels that one place reads.
template <class T> struct Reads {
  int count = 0;
  int64_t at[16];                    // element of x, channel 0
  T weight[16], by_x[16], by_y[16];  // and the weight's derivatives

  template <int n> void find(const GridSampleArgs& a, int64_t place) {
    const auto& z = a.shape;
    const T* g = static_cast<const T*>(a.grid) + 2 * place;
    const GridTaps<T, n> rows = grid_taps<n>(g[1], z.h, z.padding, z.align_corners), columns = grid_taps<n>(g[0], z.w, z.padding, z.align_corners);
    count = 0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        if (rows.at[i] < 0 || columns.at[j] < 0) continue;
        at[count] = rows.at[i] * z.x_stride[2] + columns.at[j] * z.x_stride[3];
        weight[count] = rows.weight[i] * columns.weight[j];
        by_x[count] = rows.weight[i] * columns.slope[j];
        by_y[count++] = rows.slope[i] * columns.weight[j];
      }
  }
};

// f(reads, n, p, q) for the places of one row of the grid.
template <class T, class F> void for_each_of_row(const GridSampleArgs& a, int64_t row, F f) {
  const auto& z = a.shape;
  with_taps(z.mode, [&]<int n>() {
    Reads<T> reads;
    for (int64_t q = 0; q < z.q; ++q) {
      reads.template find<n>(a, row * z.q + q);
      f(reads, row / z.p, row % z.p, q);
    }
  });
}

template <class T> const T* x_of(const GridSampleArgs& a, int64_t n) { return static_cast<const T*>(a.x) + n * a.shape.x_stride[0]; }
template <class T> T* y_of(const GridSampleArgs& a, int64_t n, int64_t p, int64_t q) {
  const auto& s = a.shape.y_stride;
  return static_cast<T*>(a.y) + n * s[0] + p * s[2] + q * s[3];
}

Status forward(const GridSampleArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    using V = Vec<T>;
    parallel_for(z.n * z.p, [&](int64_t row) {
      for_each_of_row<T>(a, row, [&](const Reads<T>& r, int64_t n, int64_t p, int64_t q) {
        const T* x = x_of<T>(a, n);
        T* y = y_of<T>(a, n, p, q);
        if (channels_innermost(z)) {
          for (int64_t c = 0; c < z.c; c += V::lanes) {
            V sum(T(0));
            for (int t = 0; t < r.count; ++t) sum = sum + V(r.weight[t]) * V::load(x + r.at[t] + c, z.c - c);
            sum.store(y + c, z.c - c);
          }
          return;
        }
        for (int64_t c = 0; c < z.c; ++c) {
          T sum = 0;
          for (int t = 0; t < r.count; ++t) sum += r.weight[t] * x[r.at[t] + c * z.x_stride[1]];
          y[c * z.y_stride[1]] = sum;
        }
      });
    });
  });
  return Status::ok;
}

// x[.., begin .. end) of one image, from zero.
template <class T> void add_channels(const GridSampleArgs& a, int64_t n, int64_t begin, int64_t end) {
  using V = Vec<T>;
  const auto& z = a.shape;
  T* x = static_cast<T*>(a.x) + n * z.x_stride[0];
  for (int64_t h = 0; h < z.h; ++h)
    for (int64_t w = 0; w < z.w; ++w)
      for (int64_t c = begin; c < end; ++c) x[c * z.x_stride[1] + h * z.x_stride[2] + w * z.x_stride[3]] = 0;
  for (int64_t p = 0; p < z.p; ++p)
    for_each_of_row<T>(a, n * z.p + p, [&](const Reads<T>& r, int64_t, int64_t, int64_t q) {
      const T* y = y_of<T>(a, n, p, q);
      if (channels_innermost(z)) {
        for (int64_t c = begin; c < end; c += V::lanes) {
          const V gy = V::load(y + c, end - c);
          for (int t = 0; t < r.count; ++t) (V::load(x + r.at[t] + c, end - c) + V(r.weight[t]) * gy).store(x + r.at[t] + c, end - c);
        }
        return;
      }
      for (int64_t c = begin; c < end; ++c)
        for (int t = 0; t < r.count; ++t) x[r.at[t] + c * z.x_stride[1]] += r.weight[t] * y[c * z.y_stride[1]];
    });
}

Status grad_input(const GridSampleArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    const int64_t channels = channels_innermost(z) ? 32 : 4, blocks = ceil_div(z.c, channels);
    parallel_for(z.n * blocks, [&](int64_t unit) {
      const int64_t begin = unit % blocks * channels;
      add_channels<T>(a, unit / blocks, begin, begin + channels < z.c ? begin + channels : z.c);
    });
  });
  return Status::ok;
}

// sum over channels of x at one pixel times the gradient of y
template <class T> T product(const GridSampleShape& z, const T* x, const T* y) {
  using V = Vec<T>;
  if (channels_innermost(z)) {
    V sum(T(0));
    for (int64_t c = 0; c < z.c; c += V::lanes) sum = sum + V::load(x + c, z.c - c) * V::load(y + c, z.c - c);
    return sum.sum();
  }
  T sum = 0;
  for (int64_t c = 0; c < z.c; ++c) sum += x[c * z.x_stride[1]] * y[c * z.y_stride[1]];
  return sum;
}

Status grad_grid(const GridSampleArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    parallel_for(z.n * z.p, [&](int64_t row) {
      for_each_of_row<T>(a, row, [&](const Reads<T>& r, int64_t n, int64_t p, int64_t q) {
        T gx = 0, gy = 0;
        for (int t = 0; t < r.count; ++t) {
          const T of_pixel = product(z, x_of<T>(a, n) + r.at[t], y_of<T>(a, n, p, q));
          gx += r.by_x[t] * of_pixel;
          gy += r.by_y[t] * of_pixel;
        }
        T* out = static_cast<T*>(a.grad_grid) + 2 * (row * z.q + q);
        out[0] = gx;
        out[1] = gy;
      });
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(GridSampleArgs, grid_sample_forward_vec){.name = "vec", .supports = supports, .error = grid_error, .run = forward};
TAPETUM_CPU_CANDIDATE(GridSampleArgs, grid_sample_grad_input_vec){.name = "vec", .supports = supports, .error = grid_error, .run = grad_input};
TAPETUM_CPU_CANDIDATE(GridSampleArgs, grid_sample_grad_grid_vec){.name = "vec", .supports = supports, .error = grid_error, .run = grad_grid};

}  // namespace tapetum::kernels
