// One pixel after the other, by the formulas of kernels/grid_taps.h written with the standard library.
#include "kernels/grid.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

bool supports(const GridSampleArgs& a) { return is_compute(a.shape.dtype); }

struct Tap {
  int64_t at;
  double weight, slope;
};
using Taps = std::vector<Tap>;  // inside of the image

double reflected(double at, double low, double span, double& slope) {
  if (span == 0) return 0;
  const double d = std::fabs(at - low), rest = std::fmod(d, span);
  const bool even = std::fmod(std::floor(d / span), 2) == 0;
  slope *= (at < low ? -1 : 1) * (even ? 1 : -1);
  return low + (even ? rest : span - rest);
}

double placed(const GridSampleShape& z, double at, double size, double& slope) {
  if (z.padding == GridSamplePadding::zeros) return at;
  if (z.padding == GridSamplePadding::reflection) at = z.align_corners ? reflected(at, 0, size - 1, slope) : reflected(at, -0.5, size, slope);
  if (at > 0 && at < size - 1) return at;
  slope = 0;
  return at > 0 ? size - 1 : 0;
}

double cubic(double x) {
  x = std::fabs(x);
  return x < 1 ? (1.25 * x - 2.25) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * -0.75;
}
double cubic_slope(double x) {
  const double sign = x < 0 ? -1 : 1;
  x = std::fabs(x);
  return sign * (x < 1 ? (3.75 * x - 4.5) * x : ((3 * x - 10) * x + 8) * -0.75);
}

Taps taps_of(const GridSampleShape& z, double g, int64_t pixels) {
  const double size = static_cast<double>(pixels);
  double scale = (z.align_corners ? size - 1 : size) / 2;
  if (std::isnan(g)) g = -1, scale = 0;
  double at = z.align_corners ? (g + 1) / 2 * (size - 1) : ((g + 1) * size - 1) / 2;
  Taps taps;
  const auto add = [&](double pixel, double weight, double slope) {
    if (pixel >= 0 && pixel <= size - 1) taps.push_back({static_cast<int64_t>(pixel), weight, slope});
  };
  if (z.mode == GridSampleMode::bicubic) {
    const double part = std::isinf(at) ? 0 : at - std::floor(at);
    for (double k = -1; k <= 2; ++k) {
      double unused = 1;
      const double distance = part - k;
      add(placed(z, std::floor(at) + k, size, unused), cubic(distance), scale * cubic_slope(distance));
    }
    return taps;
  }
  at = placed(z, at, size, scale);
  if (z.mode == GridSampleMode::nearest) {
    add(std::nearbyint(at), 1, 0);
  } else {
    const double part = at - std::floor(at);
    add(std::floor(at), 1 - part, -scale);
    add(std::floor(at) + 1, part, scale);
  }
  return taps;
}

int64_t offset(const int64_t (&stride)[4], int64_t n, int64_t c, int64_t i, int64_t j) {
  return n * stride[0] + c * stride[1] + i * stride[2] + j * stride[3];
}

// f(n, p, q, place in the grid, taps of rows, taps of columns)
template <class T, class F> void for_each_place(const GridSampleArgs& a, F f) {
  const auto& z = a.shape;
  for (int64_t i = 0; i < z.n * z.p * z.q; ++i) {
    const T* g = static_cast<const T*>(a.grid) + 2 * i;
    f(i / (z.p * z.q), i / z.q % z.p, i % z.q, i, taps_of(z, g[1], z.h), taps_of(z, g[0], z.w));
  }
}

Status forward(const GridSampleArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_compute_type(z.dtype, [&]<class T>() {
    for_each_place<T>(a, [&](int64_t n, int64_t p, int64_t q, int64_t, const Taps& rows, const Taps& columns) {
      for (int64_t c = 0; c < z.c; ++c) {
        double sum = 0;
        for (const Tap& h : rows)
          for (const Tap& w : columns) sum += h.weight * w.weight * static_cast<const T*>(a.x)[offset(z.x_stride, n, c, h.at, w.at)];
        static_cast<T*>(a.y)[offset(z.y_stride, n, c, p, q)] = static_cast<T>(sum);
      }
    });
  });
  return Status::ok;
}

Status grad_input(const GridSampleArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_compute_type(z.dtype, [&]<class T>() {
    std::vector<double> sums(static_cast<size_t>(z.n * z.c * z.h * z.w));
    const auto at = [&](int64_t n, int64_t c, int64_t h, int64_t w) -> double& {
      return sums[static_cast<size_t>(((n * z.c + c) * z.h + h) * z.w + w)];
    };
    for_each_place<T>(a, [&](int64_t n, int64_t p, int64_t q, int64_t, const Taps& rows, const Taps& columns) {
      for (int64_t c = 0; c < z.c; ++c)
        for (const Tap& h : rows)
          for (const Tap& w : columns) at(n, c, h.at, w.at) += h.weight * w.weight * static_cast<const T*>(a.y)[offset(z.y_stride, n, c, p, q)];
    });
    for (int64_t n = 0; n < z.n; ++n)
      for (int64_t c = 0; c < z.c; ++c)
        for (int64_t h = 0; h < z.h; ++h)
          for (int64_t w = 0; w < z.w; ++w) static_cast<T*>(a.x)[offset(z.x_stride, n, c, h, w)] = static_cast<T>(at(n, c, h, w));
  });
  return Status::ok;
}

Status grad_grid(const GridSampleArgs& a, Workspace&) {
  const auto& z = a.shape;
  with_compute_type(z.dtype, [&]<class T>() {
    for_each_place<T>(a, [&](int64_t n, int64_t p, int64_t q, int64_t place, const Taps& rows, const Taps& columns) {
      double gx = 0, gy = 0;
      for (int64_t c = 0; c < z.c; ++c)
        for (const Tap& h : rows)
          for (const Tap& w : columns) {
            const double product = static_cast<double>(static_cast<const T*>(a.x)[offset(z.x_stride, n, c, h.at, w.at)]) *
                                   static_cast<const T*>(a.y)[offset(z.y_stride, n, c, p, q)];
            gx += h.weight * w.slope * product;
            gy += h.slope * w.weight * product;
          }
      static_cast<T*>(a.grad_grid)[2 * place] = static_cast<T>(gx);
      static_cast<T*>(a.grad_grid)[2 * place + 1] = static_cast<T>(gy);
    });
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(GridSampleArgs, grid_sample_forward_reference){.name = "reference", .supports = supports, .run = forward};
TAPETUM_CANDIDATE(GridSampleArgs, grid_sample_grad_input_reference){.name = "reference", .supports = supports, .run = grad_input};
TAPETUM_CANDIDATE(GridSampleArgs, grid_sample_grad_grid_reference){.name = "reference", .supports = supports, .run = grad_grid};

}  // namespace tapetum::kernels
