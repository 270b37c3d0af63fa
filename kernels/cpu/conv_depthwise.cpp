// Depthwise convolution (as many groups as channels on both sides) in
// channels_last: each pixel is a short sum of products along channels. The
// filter is packed as [R S, C]. Little arithmetic for each byte: what counts is
// that rows are read while they are in the cache.
#include "kernels/conv.h"
#include "kernels/cpu/conv_epilogue.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"

namespace tapetum::kernels {
namespace {

bool supports(const Conv2dArgs& a) {
  const auto& z = a.shape;
  return serves(z.dtype) && z.c == z.groups && z.k == z.groups && z.x_stride[1] == 1 && z.y_stride[1] == 1;
}

enum class Role { forward, grad_input };

// The index that filter element `r` reads for output index `i`, or -1.
template <Role role> int64_t source(int64_t i, int64_t r, int64_t stride, int64_t padding, int64_t dilation, int64_t size) {
  if (role == Role::forward) {
    const int64_t at = i * stride + r * dilation - padding;
    return at < size ? std::max<int64_t>(at, -1) : -1;
  }
  const int64_t at = i + padding - r * dilation;
  return at >= 0 && at % stride == 0 && at / stride < size ? at / stride : -1;
}

template <class T> void pack_filter(const Conv2dArgs& a, T* packed) {
  const auto& z = a.shape;
  const T* w = static_cast<const T*>(a.w);
  for (int64_t c = 0; c < z.c; ++c)
    for (int64_t t = 0; t < z.r * z.s; ++t) packed[t * z.c + c] = w[c * z.w_stride[0] + t / z.s * z.w_stride[2] + t % z.s * z.w_stride[3]];
}

template <class T> struct Term { const T *x, *w; };

// y [channels] = bias + sum over terms of x * w
template <class T> void sum_terms(const Term<T>* terms, int64_t count, const T* bias, int64_t channels, T* y) {
  using V = Vec<T>;
  for (int64_t c = 0; c < channels; c += V::lanes) {
    const int64_t n = channels - c;
    V sum = bias ? load_part(bias + c, n) : V(T(0));
    for (int64_t t = 0; t < count; ++t) sum = sum + load_part(terms[t].x + c, n) * load_part(terms[t].w + c, n);
    sum.store(y + c, n);
  }
}

template <Role role> Status run(const Conv2dArgs& a, Workspace& workspace) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    const auto x = images(static_cast<T*>(a.x), z.n, z.h, z.w, z.x_stride), y = images(static_cast<T*>(a.y), z.n, z.p, z.q, z.y_stride);
    const Images<T>&in = role == Role::forward ? x : y, &out = role == Role::forward ? y : x;
    const Epilogue<T> epilogue(a);
    T* packed = static_cast<T*>(workspace.data);
    pack_filter(a, packed);
    parallel_for(out.n * out.h, [&](int64_t row) {
      const int64_t n = row / out.h, i = row % out.h;
      auto* terms = static_cast<Term<T>*>(thread_scratch(static_cast<size_t>(z.r * z.s) * sizeof(Term<T>)));
      for (int64_t j = 0; j < out.w; ++j) {
        int64_t count = 0;
        for (int64_t r = 0; r < z.r; ++r) {
          const int64_t h = source<role>(i, r, z.stride_h, z.padding_h, z.dilation_h, in.h);
          for (int64_t s = 0; h >= 0 && s < z.s; ++s) {
            const int64_t w = source<role>(j, s, z.stride_w, z.padding_w, z.dilation_w, in.w);
            if (w >= 0) terms[count++] = {in.data + n * in.stride_n + h * in.stride_h + w * in.stride_w, packed + (r * z.s + s) * z.c};
          }
        }
        T* to = out.data + n * out.stride_n + i * out.stride_h + j * out.stride_w;
        sum_terms(terms, count, static_cast<const T*>(a.bias), z.c, to);
        epilogue(to, n, i, j, 0, z.c);
      }
    });
  });
  return Status::ok;
}
size_t workspace(const Conv2dArgs& a) { return static_cast<size_t>(a.shape.r * a.shape.s * a.shape.c + 1) * size_of(a.shape.dtype); }
double error(const Conv2dArgs& a) { return result_error(a, 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.r * a.shape.s))); }

// grad_weight: the rows of y are split in at most 16 parts, from the shape
// alone; part i sums into [R S, C] of the workspace.
int64_t splits(const Conv2dShape& z) { return std::max<int64_t>(1, std::min<int64_t>(16, z.n * z.p)); }
size_t weight_workspace(const Conv2dArgs& a) { return static_cast<size_t>(splits(a.shape)) * workspace(a); }
double weight_error(const Conv2dArgs& a) { return 8 + 2 * __builtin_sqrt(static_cast<double>(a.shape.n * a.shape.p * a.shape.q)); }

// Adds a row of gy times the row of x that filter row `r` meets to sums [S, C].
template <class T> void add_row(const Conv2dShape& z, const T* x, const T* gy, T* sums) {
  using V = Vec<T>;
  for (int64_t s = 0; s < z.s; ++s) {
    const int64_t shift = s * z.dilation_w - z.padding_w;
    const int64_t first = shift >= 0 ? 0 : ceil_div(-shift, z.stride_w), end = std::min(z.q, shift >= z.w ? 0 : ceil_div(z.w - shift, z.stride_w));
    for (int64_t c = 0; c < z.c; c += V::lanes) {
      const int64_t n = z.c - c;
      V sum = load_part(sums + s * z.c + c, n);
      for (int64_t q = first; q < end; ++q)
        sum = sum + load_part(gy + q * z.y_stride[3] + c, n) * load_part(x + (q * z.stride_w + shift) * z.x_stride[3] + c, n);
      sum.store(sums + s * z.c + c, n);
    }
  }
}

Status run_weight(const Conv2dArgs& a, Workspace& workspace) {
  const auto& z = a.shape;
  with_served_type(z.dtype, [&]<class T>() {
    const int64_t parts = splits(z), rows = z.n * z.p, taps = z.r * z.s;
    T* sums = static_cast<T*>(workspace.data);
    parallel_for(parts, [&](int64_t part) {
      T* own = sums + part * taps * z.c;
      for (int64_t i = 0; i < taps * z.c; ++i) own[i] = 0;
      for (int64_t row = part * rows / parts; row < (part + 1) * rows / parts; ++row) {
        const int64_t n = row / z.p, p = row % z.p;
        const T* gy = static_cast<const T*>(a.y) + n * z.y_stride[0] + p * z.y_stride[2];
        for (int64_t r = 0; r < z.r; ++r) {
          const int64_t h = source<Role::forward>(p, r, z.stride_h, z.padding_h, z.dilation_h, z.h);
          if (h >= 0) add_row(z, static_cast<const T*>(a.x) + n * z.x_stride[0] + h * z.x_stride[2], gy, own + r * z.s * z.c);
        }
      }
    });
    for (int64_t c = 0; c < z.c; ++c)
      for (int64_t t = 0; t < taps; ++t) {
        T sum = sums[t * z.c + c];
        for (int64_t part = 1; part < parts; ++part) sum += sums[(part * taps + t) * z.c + c];
        static_cast<T*>(a.w)[c * z.w_stride[0] + t / z.s * z.w_stride[2] + t % z.s * z.w_stride[3]] = sum;
      }
  });
  return Status::ok;
}

}  // namespace

TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_forward_depthwise){
    .name = "depthwise", .supports = supports, .workspace = workspace, .error = error, .run = run<Role::forward>};
TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_grad_input_depthwise){
    .name = "depthwise", .supports = supports, .workspace = workspace, .error = error, .run = run<Role::grad_input>};
TAPETUM_CPU_CANDIDATE(Conv2dArgs, conv2d_grad_weight_depthwise){
    .name = "depthwise", .supports = supports, .workspace = weight_workspace, .error = weight_error, .run = run_weight};

}  // namespace tapetum::kernels
