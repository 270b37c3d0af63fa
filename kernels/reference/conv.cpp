// y[n, k, p, q] = b[k] + sum over c, r, s of x[n, g C/groups + c, p stride + r dilation - padding, q ...] * w[k, c, r, s], k in group g,
// then activation(scale[k] y + shift[k] + residual)
#include "kernels/conv.h"

#include "kernels/candidates.h"
#include "kernels/reference/activation.h"

namespace tapetum::kernels {
namespace {

bool supports(const Conv2dArgs& a) { return is_compute(a.shape.dtype); }

int64_t at(const int64_t (&stride)[4], int64_t a, int64_t b, int64_t c, int64_t d) {
  return a * stride[0] + b * stride[1] + c * stride[2] + d * stride[3];
}

// Calls f(n, k, p, q, c, r, s, h, w) for every product that the convolution sums; c counts within the group of k.
template <class F> void for_each_product(const Conv2dShape& z, F f) {
  for (int64_t n = 0; n < z.n; ++n)
    for (int64_t k = 0; k < z.k; ++k)
      for (int64_t p = 0; p < z.p; ++p)
        for (int64_t q = 0; q < z.q; ++q)
          for (int64_t c = 0; c < z.c / z.groups; ++c)
            for (int64_t r = 0; r < z.r; ++r)
              for (int64_t s = 0; s < z.s; ++s) {
                const int64_t h = p * z.stride_h + r * z.dilation_h - z.padding_h, w = q * z.stride_w + s * z.dilation_w - z.padding_w;
                if (h >= 0 && h < z.h && w >= 0 && w < z.w) f(n, k, p, q, c, r, s, h, w);
              }
}

enum class Role { forward, grad_input, grad_weight };

// Sums in double, in a dense scratch of the output's shape.
template <Role role> Status run(const Conv2dArgs& a, Workspace& workspace) {
  const Conv2dShape& z = a.shape;
  auto sum = static_cast<double*>(workspace.data);
  const int64_t group_c = z.c / z.groups, group_k = z.k / z.groups;
  const int64_t d1 = role == Role::forward ? z.k : role == Role::grad_input ? z.c : group_c;
  const int64_t d2 = role == Role::forward ? z.p : role == Role::grad_input ? z.h : z.r;
  const int64_t d3 = role == Role::forward ? z.q : role == Role::grad_input ? z.w : z.s;
  const int64_t d0 = role == Role::grad_weight ? z.k : z.n;
  const auto& out_stride = role == Role::forward ? z.y_stride : role == Role::grad_input ? z.x_stride : z.w_stride;
  with_compute_type(z.dtype, [&]<class T>() {
    const auto bias = static_cast<const T*>(a.bias);
    for (int64_t i = 0; i < d0 * d1 * d2 * d3; ++i) sum[i] = bias ? bias[i / (d2 * d3) % d1] : 0;
    auto xs = static_cast<T*>(a.x), ws = static_cast<T*>(a.w), ys = static_cast<T*>(a.y);
    for_each_product(z, [&](int64_t n, int64_t k, int64_t p, int64_t q, int64_t c, int64_t r, int64_t s, int64_t h, int64_t w) {
      const int64_t channel = k / group_k * group_c + c;
      const double x = role == Role::grad_input ? 0 : xs[at(z.x_stride, n, channel, h, w)];
      const double wt = role == Role::grad_weight ? 0 : ws[at(z.w_stride, k, c, r, s)];
      const double y = role == Role::forward ? 0 : ys[at(z.y_stride, n, k, p, q)];
      if (role == Role::forward) sum[((n * d1 + k) * d2 + p) * d3 + q] += x * wt;
      if (role == Role::grad_input) sum[((n * d1 + channel) * d2 + h) * d3 + w] += y * wt;
      if (role == Role::grad_weight) sum[((k * d1 + c) * d2 + r) * d3 + s] += x * y;
    });
    T* out = role == Role::forward ? ys : role == Role::grad_input ? xs : ws;
    const auto residual = static_cast<const T*>(a.residual), scale = static_cast<const T*>(a.scale), shift = static_cast<const T*>(a.shift);
    for (int64_t i = 0; i < d0 * d1 * d2 * d3; ++i) {
      const int64_t i0 = i / (d1 * d2 * d3), i1 = i / (d2 * d3) % d1, i2 = i / d3 % d2, i3 = i % d3;
      const double added = residual ? residual[at(z.residual_stride, i0, i1, i2, i3)] : 0;
      const double y = scale ? static_cast<double>(scale[i1]) * sum[i] + static_cast<double>(shift[i1]) : sum[i];
      out[at(out_stride, i0, i1, i2, i3)] = static_cast<T>(activate(z.activation, y + added));
    }
  });
  return Status::ok;
}

template <Role role> size_t workspace(const Conv2dArgs& a) {
  const Conv2dShape& z = a.shape;
  return sizeof(double) * static_cast<size_t>(role == Role::forward      ? z.n * z.k * z.p * z.q
                                              : role == Role::grad_input ? z.n * z.c * z.h * z.w
                                                                         : z.k * z.c / z.groups * z.r * z.s);
}

}  // namespace

#define CONV2D(role)                                                                                      \
  TAPETUM_CANDIDATE(Conv2dArgs, conv2d_##role##_reference) {                                              \
    .name = "reference", .supports = supports, .workspace = workspace<Role::role>, .run = run<Role::role> \
  }

CONV2D(forward);
CONV2D(grad_input);
CONV2D(grad_weight);

}  // namespace tapetum::kernels
