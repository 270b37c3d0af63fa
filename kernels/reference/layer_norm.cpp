// y = (x - mean) / sqrt(var + eps) * weight + bias, per row.
#include "kernels/norm.h"

#include <cmath>

#include "kernels/candidates.h"

namespace tapetum::kernels {
namespace {

struct Moments {
  double mean, rstd;
};

template <class T> Moments moments(const T* x, int64_t n, double eps) {
  double mean = 0, var = 0;
  for (int64_t i = 0; i < n; ++i) mean += x[i];
  mean /= static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) var += (x[i] - mean) * (x[i] - mean);
  return {mean, 1 / std::sqrt(var / static_cast<double>(n) + eps)};
}

bool supports_forward(const LayerNormForwardArgs& a) { return is_compute(a.shape.dtype); }
bool supports_backward(const LayerNormBackwardArgs& a) { return is_compute(a.shape.dtype); }

Status forward(const LayerNormForwardArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    auto w = static_cast<const T*>(a.weight), b = static_cast<const T*>(a.bias);
    for (int64_t r = 0; r < a.shape.rows; ++r) {
      auto x = static_cast<const T*>(a.x) + r * a.shape.columns;
      auto y = static_cast<T*>(a.y) + r * a.shape.columns;
      const auto [mean, rstd] = moments(x, a.shape.columns, a.eps);
      for (int64_t i = 0; i < a.shape.columns; ++i) y[i] = static_cast<T>((x[i] - mean) * rstd * (w ? w[i] : 1.0) + (b ? b[i] : 0.0));
    }
  });
  return Status::ok;
}

// With h = (x - mean) rstd and g = gy w:  gx = rstd (g - mean(g) - h mean(g h)).
Status backward(const LayerNormBackwardArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    auto w = static_cast<const T*>(a.weight);
    auto gw = static_cast<T*>(a.gweight), gb = static_cast<T*>(a.gbias);
    const int64_t n = a.shape.columns;
    const auto weight = [&](int64_t i) { return w ? w[i] : 1.0; };
    for (int64_t i = 0; i < n; ++i) {
      double sum_w = 0, sum_b = 0;
      for (int64_t r = 0; r < a.shape.rows; ++r) {
        auto x = static_cast<const T*>(a.x) + r * n;
        const auto [mean, rstd] = moments(x, n, a.eps);
        const double gy = static_cast<const T*>(a.gy)[r * n + i];
        sum_w += gy * (x[i] - mean) * rstd;
        sum_b += gy;
      }
      if (gw) gw[i] = static_cast<T>(sum_w);
      if (gb) gb[i] = static_cast<T>(sum_b);
    }
    for (int64_t r = 0; r < a.shape.rows && a.gx; ++r) {
      auto x = static_cast<const T*>(a.x) + r * n, gy = static_cast<const T*>(a.gy) + r * n;
      auto gx = static_cast<T*>(a.gx) + r * n;
      const auto [mean, rstd] = moments(x, n, a.eps);
      double g_mean = 0, gh_mean = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double g = gy[i] * weight(i);
        g_mean += g / static_cast<double>(n);
        gh_mean += g * (x[i] - mean) * rstd / static_cast<double>(n);
      }
      for (int64_t i = 0; i < n; ++i) gx[i] = static_cast<T>(rstd * (gy[i] * weight(i) - g_mean - (x[i] - mean) * rstd * gh_mean));
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(LayerNormForwardArgs, layer_norm_forward_reference){.name = "reference", .supports = supports_forward, .run = forward};
TAPETUM_CANDIDATE(LayerNormBackwardArgs, layer_norm_backward_reference){.name = "reference", .supports = supports_backward, .run = backward};

}  // namespace tapetum::kernels
