// Winograd's minimal filtering F(m, 3): m outputs of a 3-tap filter from m + 2 products (Lavin and Gray, arXiv 1509.09308). The transforms
// are the evaluation at m + 1 points and infinity; F(4, 3) takes 0, +-5/8, +-3/2, which round less than the usual 0, +-1, +-2.
#pragma once

namespace tapetum::kernels {
namespace {

// One-dimensional transforms of registers or numbers (constexpr: device code may call them): input B^T d, filter G g, output A^T y, and for the
// filter's gradient A y and G^T u.
template <int m> struct Winograd;

template <> struct Winograd<2> {
  static constexpr int tile = 4;
  template <class V> static constexpr void input(const V (&d)[4], V (&r)[4]) {
    r[0] = d[2] - d[0], r[1] = d[1] + d[2], r[2] = d[2] - d[1], r[3] = d[3] - d[1];
  }
  template <class V> static constexpr void filter(const V (&g)[3], V (&r)[4]) {
    const V even = (g[0] + g[2]) * V(0.5f), odd = g[1] * V(0.5f);
    r[0] = -g[0], r[1] = even + odd, r[2] = even - odd, r[3] = g[2];
  }
  template <class V> static constexpr void output(const V (&y)[4], V (&r)[2]) { r[0] = y[0] + y[1] + y[2], r[1] = y[1] - y[2] + y[3]; }
  template <class V> static constexpr void output_adjoint(const V (&y)[2], V (&r)[4]) {
    r[0] = y[0], r[1] = y[0] + y[1], r[2] = y[0] - y[1], r[3] = y[1];
  }
  template <class V> static constexpr void filter_adjoint(const V (&u)[4], V (&r)[3]) {
    const V even = (u[1] + u[2]) * V(0.5f);
    r[0] = even - u[0], r[1] = (u[1] - u[2]) * V(0.5f), r[2] = even + u[3];
  }
};

template <> struct Winograd<4> {
  static constexpr int tile = 6;
  static constexpr float a = 0.625f, b = 1.5f, aa = a * a, bb = b * b;
  static constexpr float n0 = 1 / (aa * bb), na = 1 / (2 * aa * (aa - bb)), nb = 1 / (2 * bb * (bb - aa));  // of the points' Lagrange polynomials
  template <class V> static constexpr void input(const V (&d)[6], V (&r)[6]) {
    const V even_a = d[4] - V(bb) * d[2], odd_a = V(a) * (d[3] - V(bb) * d[1]);
    const V even_b = d[4] - V(aa) * d[2], odd_b = V(b) * (d[3] - V(aa) * d[1]);
    r[0] = V(aa * bb) * d[0] - V(aa + bb) * d[2] + d[4];
    r[1] = even_a + odd_a, r[2] = even_a - odd_a, r[3] = even_b + odd_b, r[4] = even_b - odd_b;
    r[5] = V(aa * bb) * d[1] - V(aa + bb) * d[3] + d[5];
  }
  template <class V> static constexpr void filter(const V (&g)[3], V (&r)[6]) {
    const V even_a = V(na) * g[0] + V(na * aa) * g[2], odd_a = V(na * a) * g[1];
    const V even_b = V(nb) * g[0] + V(nb * bb) * g[2], odd_b = V(nb * b) * g[1];
    r[0] = V(n0) * g[0], r[1] = even_a + odd_a, r[2] = even_a - odd_a, r[3] = even_b + odd_b, r[4] = even_b - odd_b, r[5] = g[2];
  }
  template <class V> static constexpr void output(const V (&y)[6], V (&r)[4]) {
    const V sum_a = y[1] + y[2], difference_a = y[1] - y[2], sum_b = y[3] + y[4], difference_b = y[3] - y[4];
    r[0] = y[0] + sum_a + sum_b;
    r[1] = V(a) * difference_a + V(b) * difference_b;
    r[2] = V(aa) * sum_a + V(bb) * sum_b;
    r[3] = V(aa * a) * difference_a + V(bb * b) * difference_b + y[5];
  }
  template <class V> static constexpr void output_adjoint(const V (&y)[4], V (&r)[6]) {
    const V even_a = y[0] + V(aa) * y[2], odd_a = V(a) * y[1] + V(aa * a) * y[3];
    const V even_b = y[0] + V(bb) * y[2], odd_b = V(b) * y[1] + V(bb * b) * y[3];
    r[0] = y[0], r[1] = even_a + odd_a, r[2] = even_a - odd_a, r[3] = even_b + odd_b, r[4] = even_b - odd_b, r[5] = y[3];
  }
  template <class V> static constexpr void filter_adjoint(const V (&u)[6], V (&r)[3]) {
    const V sum_a = V(na) * (u[1] + u[2]), sum_b = V(nb) * (u[3] + u[4]);
    r[0] = V(n0) * u[0] + sum_a + sum_b;
    r[1] = V(na * a) * (u[1] - u[2]) + V(nb * b) * (u[3] - u[4]);
    r[2] = V(aa) * sum_a + V(bb) * sum_b + u[5];
  }
};

}  // namespace
}  // namespace tapetum::kernels
