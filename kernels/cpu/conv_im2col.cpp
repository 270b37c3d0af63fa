// im2col: each image's patches as a dense matrix [C R S, P Q], then a matrix product by the candidate `eigen`. A yardstick, never preferred.
#include "kernels/conv.h"

#include "kernels/cpu/vec.h"
#include "kernels/matmul.h"
#include "kernels/parallel.h"

namespace tapetum::kernels {

extern const Candidate<MatmulArgs> TAPETUM_FOR_ISA(matmul_eigen);

namespace {

// Two dense scratch matrices besides the patches take any stride of y and w: conv runs on [K, P Q] and [K, C R S].
bool supports(const Conv2dArgs& a) { return serves(a.shape.dtype) && a.shape.groups == 1 && !a.bias && !a.is_fused(); }
bool prefers(const Conv2dArgs&) { return false; }
double error(const Conv2dArgs& a) {
  const auto& z = a.shape;
  return 8 + 2 * __builtin_sqrt(static_cast<double>(z.c * z.r * z.s + z.n * z.p * z.q + z.k * z.r * z.s));
}
size_t workspace(const Conv2dArgs& a) {
  const auto& z = a.shape;
  return static_cast<size_t>((z.c * z.r * z.s) * (z.p * z.q) + z.k * z.p * z.q + 2 * z.k * z.c * z.r * z.s + 1) * size_of(z.dtype);
}

template <class T> struct Scratch {
  T *patches, *y, *w, *part;
  Scratch(const Conv2dShape& z, Workspace& workspace)
      : patches(static_cast<T*>(workspace.data)), y(patches + z.c * z.r * z.s * z.p * z.q), w(y + z.k * z.p * z.q), part(w + z.k * z.c * z.r * z.s) {}
};

// f(row of patches, element of it, offset in the image or -1 outside)
template <class F> void for_each_patch_element(const Conv2dShape& z, F f) {
  parallel_for(z.c, [&](int64_t c) {
    for (int64_t r = 0; r < z.r; ++r)
      for (int64_t s = 0; s < z.s; ++s)
        for (int64_t p = 0; p < z.p; ++p) {
          const int64_t h = p * z.stride_h + r * z.dilation_h - z.padding_h;
          for (int64_t q = 0; q < z.q; ++q) {
            const int64_t w = q * z.stride_w + s * z.dilation_w - z.padding_w;
            const bool inside = h >= 0 && h < z.h && w >= 0 && w < z.w;
            f((c * z.r + r) * z.s + s, p * z.q + q, inside ? c * z.x_stride[1] + h * z.x_stride[2] + w * z.x_stride[3] : -1);
          }
        }
  });
}

template <class T> void gather_patches(const Conv2dShape& z, const T* image, T* patches) {
  for_each_patch_element(z, [&](int64_t row, int64_t i, int64_t at) { patches[row * z.p * z.q + i] = at < 0 ? T(0) : image[at]; });
}
// Channels are spread over threads and share no element of the image, so the order of additions is fixed.
template <class T> void scatter_patches(const Conv2dShape& z, const T* patches, T* image) {
  for_each_patch_element(z, [&](int64_t row, int64_t i, int64_t at) {
    if (at >= 0) image[at] += patches[row * z.p * z.q + i];
  });
}

// dense [d0, d1, d2] <-> strided
template <class T, bool to_dense> void copy3(T* dense, T* data, int64_t d0, int64_t d1, int64_t d2, const int64_t* stride) {
  parallel_for(d0, [&](int64_t a) {
    for (int64_t b = 0; b < d1; ++b)
      for (int64_t c = 0; c < d2; ++c) {
        T &x = dense[(a * d1 + b) * d2 + c], &y = data[a * stride[0] + b * stride[1] + c * stride[2]];
        if constexpr (to_dense)
          x = y;
        else
          y = x;
      }
  });
}
template <class T, bool to_dense> void copy_weight(T* dense, T* data, const Conv2dShape& z) {
  for (int64_t k = 0; k < z.k; ++k) copy3<T, to_dense>(dense + k * z.c * z.r * z.s, data + k * z.w_stride[0], z.c, z.r, z.s, z.w_stride + 1);
}

// c [m, n] = a [m, k] b [k, n]; `ta`, `tb`: the dense storage is transposed.
template <class T> void product(int64_t m, int64_t n, int64_t k, const T* a, bool ta, const T* b, bool tb, T* c) {
  Workspace none;
  const MatmulShape shape{{0, 1, {}, {}}, m, n, k, {ta ? 1 : k, ta ? m : 1}, {tb ? 1 : n, tb ? k : 1}, {n, 1}, dtype_of<T>()};
  TAPETUM_FOR_ISA(matmul_eigen).run({shape, a, b, c}, none);
}

Status forward(const Conv2dArgs& a, Workspace& workspace) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    Scratch<T> t(z, workspace);
    copy_weight<T, true>(t.w, static_cast<T*>(a.w), z);
    for (int64_t n = 0; n < z.n; ++n) {
      gather_patches(z, static_cast<const T*>(a.x) + n * z.x_stride[0], t.patches);
      product<T>(z.k, z.p * z.q, z.c * z.r * z.s, t.w, false, t.patches, false, t.y);
      copy3<T, false>(t.y, static_cast<T*>(a.y) + n * z.y_stride[0], z.k, z.p, z.q, z.y_stride + 1);
    }
  });
  return Status::ok;
}

Status grad_input(const Conv2dArgs& a, Workspace& workspace) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    Scratch<T> t(z, workspace);
    copy_weight<T, true>(t.w, static_cast<T*>(a.w), z);
    for (int64_t n = 0; n < z.n; ++n) {
      T* x = static_cast<T*>(a.x) + n * z.x_stride[0];
      parallel_for(z.c, [&](int64_t c) {
        for (int64_t h = 0; h < z.h; ++h)
          for (int64_t w = 0; w < z.w; ++w) x[c * z.x_stride[1] + h * z.x_stride[2] + w * z.x_stride[3]] = 0;
      });
      copy3<T, true>(t.y, static_cast<T*>(a.y) + n * z.y_stride[0], z.k, z.p, z.q, z.y_stride + 1);
      product<T>(z.c * z.r * z.s, z.p * z.q, z.k, t.w, true, t.y, false, t.patches);
      scatter_patches(z, t.patches, x);
    }
  });
  return Status::ok;
}

Status grad_weight(const Conv2dArgs& a, Workspace& workspace) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    Scratch<T> t(z, workspace);
    for (int64_t i = 0; i < z.k * z.c * z.r * z.s; ++i) t.w[i] = 0;
    for (int64_t n = 0; n < z.n; ++n) {
      gather_patches(z, static_cast<const T*>(a.x) + n * z.x_stride[0], t.patches);
      copy3<T, true>(t.y, static_cast<T*>(a.y) + n * z.y_stride[0], z.k, z.p, z.q, z.y_stride + 1);
      product<T>(z.k, z.c * z.r * z.s, z.p * z.q, t.y, false, t.patches, true, t.part);
      for (int64_t i = 0; i < z.k * z.c * z.r * z.s; ++i) t.w[i] += t.part[i];
    }
    copy_weight<T, false>(t.w, static_cast<T*>(a.w), z);
  });
  return Status::ok;
}

}  // namespace

#define CONV2D(role)                                                                                                      \
  TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_##role##_im2col_eigen) {                                                       \
    .name = "im2col_eigen", .supports = supports, .prefers = prefers, .workspace = workspace, .error = error, .run = role \
  }

CONV2D(forward);
CONV2D(grad_input);
CONV2D(grad_weight);

}  // namespace tapetum::kernels
