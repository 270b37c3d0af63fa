// With h = (x - mean) rstd over the M values of a set and group, and g = gy weight:
//   y = h weight + bias,   gx = rstd (g - sum(g) / M - h sum(g h) / M),   gweight = sum(gy h),   gbias = sum(gy).
// With an activation gy is first brought back through it.
#include "kernels/norm.h"

#include <cmath>

#include "kernels/candidates.h"
#include "kernels/reference/activation.h"

namespace tapetum::kernels {
namespace {

bool supports_moments(const ChannelMomentsArgs& a) { return is_compute(a.shape.dtype); }
bool supports_forward(const ChannelNormForwardArgs& a) { return is_compute(a.shape.dtype); }
bool supports_backward(const ChannelNormBackwardArgs& a) { return is_compute(a.shape.dtype); }

// f(statistics' index, channel, offset) for every element.
template <class F> void for_each(const ChannelNormShape& z, F f) {
  for (int64_t i = 0; i < z.sets * z.n; ++i)
    for (int64_t c = 0; c < z.c; ++c)
      for (int64_t j = 0; j < z.l; ++j)
        f(i / z.n * (z.c / z.group) + c / z.group, c, z.channels_last ? (i * z.l + j) * z.c + c : (i * z.c + c) * z.l + j);
}

Status moments(const ChannelMomentsArgs& a, Workspace&) {
  const auto& z = a.shape;
  const double count = static_cast<double>(z.n * z.l * z.group);
  with_compute_type(z.dtype, [&]<class T>() {
    auto x = static_cast<const T*>(a.x);
    for (int64_t s = 0; s < z.sets * (z.c / z.group); ++s) a.mean[s] = a.var[s] = 0;
    for_each(z, [&](int64_t s, int64_t, int64_t at) { a.mean[s] += x[at] / count; });
    for_each(z, [&](int64_t s, int64_t, int64_t at) { a.var[s] += (x[at] - a.mean[s]) * (x[at] - a.mean[s]) / count; });
  });
  return Status::ok;
}

Status forward(const ChannelNormForwardArgs& a, Workspace&) {
  with_compute_type(a.shape.dtype, [&]<class T>() {
    auto x = static_cast<const T*>(a.x), w = static_cast<const T*>(a.weight), b = static_cast<const T*>(a.bias);
    for_each(a.shape, [&](int64_t s, int64_t c, int64_t at) {
      const double h = (x[at] - a.mean[s]) / std::sqrt(a.var[s] + a.eps);
      static_cast<T*>(a.y)[at] = static_cast<T>(activate(a.activation, h * (w ? w[c] : 1.0) + (b ? b[c] : 0.0)));
    });
  });
  return Status::ok;
}

// The sums lie in the workspace: sum(g) and sum(g h) of each statistic, then sum(gy h) and sum(gy) of each channel.
size_t workspace(const ChannelNormBackwardArgs& a) {
  return static_cast<size_t>(2 * a.shape.sets * (a.shape.c / a.shape.group) + 2 * a.shape.c) * sizeof(double);
}

Status backward(const ChannelNormBackwardArgs& a, Workspace& scratch) {
  const auto& z = a.shape;
  const int64_t statistics = z.sets * (z.c / z.group);
  const double count = static_cast<double>(z.n * z.l * z.group);
  double *sum_g = static_cast<double*>(scratch.data), *sum_gh = sum_g + statistics, *gw = sum_gh + statistics, *gb = gw + z.c;
  for (size_t i = 0; i < workspace(a) / sizeof(double); ++i) sum_g[i] = 0;
  with_compute_type(z.dtype, [&]<class T>() {
    auto x = static_cast<const T*>(a.x), w = static_cast<const T*>(a.weight), b = static_cast<const T*>(a.bias), gy = static_cast<const T*>(a.gy);
    const auto weight = [&](int64_t c) { return w ? w[c] : 1.0; };
    const auto h = [&](int64_t s, int64_t at) { return (x[at] - a.mean[s]) / std::sqrt(a.var[s] + a.eps); };
    const auto before = [&](int64_t s, int64_t c, int64_t at) {
      return activation_gradient(a.activation, h(s, at) * weight(c) + (b ? b[c] : 0.0), gy[at]);
    };
    for_each(z, [&](int64_t s, int64_t c, int64_t at) {
      const double g = before(s, c, at);
      sum_g[s] += g * weight(c);
      sum_gh[s] += g * weight(c) * h(s, at);
      gw[c] += g * h(s, at);
      gb[c] += g;
    });
    if (a.gx)
      for_each(z, [&](int64_t s, int64_t c, int64_t at) {
        const double through = a.fixed ? 0 : (sum_g[s] + h(s, at) * sum_gh[s]) / count;
        static_cast<T*>(a.gx)[at] = static_cast<T>((before(s, c, at) * weight(c) - through) / std::sqrt(a.var[s] + a.eps));
      });
    for (int64_t c = 0; c < z.c; ++c) {
      if (a.gweight) static_cast<T*>(a.gweight)[c] = static_cast<T>(gw[c]);
      if (a.gbias) static_cast<T*>(a.gbias)[c] = static_cast<T>(gb[c]);
    }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CANDIDATE(ChannelMomentsArgs, channel_moments_reference){.name = "reference", .supports = supports_moments, .run = moments};
TAPETUM_CANDIDATE(ChannelNormForwardArgs, channel_norm_forward_reference){.name = "reference", .supports = supports_forward, .run = forward};
TAPETUM_CANDIDATE(ChannelNormBackwardArgs, channel_norm_backward_reference){
    .name = "reference", .supports = supports_backward, .workspace = workspace, .run = backward};

}  // namespace tapetum::kernels
