// direct: one thread for each element of the output, for w of many pixels one warp. Any strides. Reads two numbers, mostly from the caches,
// for every product.
#include "kernels/cuda/collectives.cuh"
#include "kernels/cuda/conv_epilogue.cuh"
#include "kernels/cuda/images.cuh"
#include "kernels/cuda/launch.cuh"

namespace tapetum::kernels {
namespace {

constexpr int64_t kManyPixels = 1024;  // each lane of a warp has some to add

bool supports(const Conv2dArgs&) { return true; }

// sum + x[0] w[0] + ... of `count` channels
template <class T> __device__ Compute<T> add_products(Compute<T> sum, int64_t count, const T* x, int64_t x_step, const T* w, int64_t w_step) {
  for (int64_t c = 0; c < count; ++c) sum += widen(x[c * x_step]) * widen(w[c * w_step]);
  return sum;
}

template <class T> __global__ void __launch_bounds__(kThreads) conv2d_forward_direct_kernel(Conv2dArgs a, Epilogue<T> epilogue) {
  const Conv2dShape& z = a.shape;
  const int64_t i = thread_number();
  if (i >= z.n * z.k * z.p * z.q) return;
  const Place out = place_of(i, z.k, z.p, z.q, z.y_stride[1] == 1);
  const int64_t channels = z.c / z.groups, first = out.c / (z.k / z.groups) * channels;
  const int64_t top = out.h * z.stride_h - z.padding_h, left = out.w * z.stride_w - z.padding_w;
  Compute<T> sum = a.bias ? widen(static_cast<const T*>(a.bias)[out.c]) : Compute<T>(0);
  for (int64_t r = 0; r < z.r; ++r) {
    const int64_t h = top + r * z.dilation_h;
    if (h < 0 || h >= z.h) continue;
    for (int64_t s = 0; s < z.s; ++s) {
      const int64_t w = left + s * z.dilation_w;
      if (w < 0 || w >= z.w) continue;
      const T* x = static_cast<const T*>(a.x) + offset_of(z.x_stride, {out.n, first, h, w});
      const T* filter = static_cast<const T*>(a.w) + offset_of(z.w_stride, {out.c, 0, r, s});
      sum = add_products<T>(sum, channels, x, z.x_stride[1], filter, z.w_stride[1]);
    }
  }
  static_cast<T*>(a.y)[offset_of(z.y_stride, out)] = narrow<T>(epilogue(sum, out.c, epilogue.at(out.n, out.c, out.h, out.w)));
}

// Output row or column that reads input `at` through tap `tap`: at = out * stride + tap * dilation - padding. Negative: none.
__device__ int64_t reader_of(int64_t at, int64_t tap, int64_t stride, int64_t padding, int64_t dilation, int64_t count) {
  const int64_t scaled = at + padding - tap * dilation;
  return scaled >= 0 && scaled % stride == 0 && scaled / stride < count ? scaled / stride : -1;
}

template <class T> __global__ void __launch_bounds__(kThreads) conv2d_grad_input_direct_kernel(Conv2dArgs a) {
  const Conv2dShape& z = a.shape;
  const int64_t i = thread_number();
  if (i >= z.n * z.c * z.h * z.w) return;
  const Place out = place_of(i, z.c, z.h, z.w, z.x_stride[1] == 1);
  const int64_t group_c = z.c / z.groups, channels = z.k / z.groups, first = out.c / group_c * channels;
  Compute<T> sum = a.bias ? widen(static_cast<const T*>(a.bias)[out.c]) : Compute<T>(0);
  for (int64_t r = 0; r < z.r; ++r) {
    const int64_t p = reader_of(out.h, r, z.stride_h, z.padding_h, z.dilation_h, z.p);
    if (p < 0) continue;
    for (int64_t s = 0; s < z.s; ++s) {
      const int64_t q = reader_of(out.w, s, z.stride_w, z.padding_w, z.dilation_w, z.q);
      if (q < 0) continue;
      const T* y = static_cast<const T*>(a.y) + offset_of(z.y_stride, {out.n, first, p, q});
      const T* filter = static_cast<const T*>(a.w) + offset_of(z.w_stride, {first, out.c % group_c, r, s});
      sum = add_products<T>(sum, channels, y, z.y_stride[1], filter, z.w_stride[0]);
    }
  }
  static_cast<T*>(a.x)[offset_of(z.x_stride, out)] = narrow<T>(sum);
}

// `lanes` threads share the pixels of y and add up their sums in a tree. out: n counts the filters.
template <class T, int lanes> __global__ void __launch_bounds__(kThreads) conv2d_grad_weight_direct_kernel(Conv2dArgs a) {
  const Conv2dShape& z = a.shape;
  const int64_t group_c = z.c / z.groups, i = thread_number() / lanes;
  if (i >= z.k * group_c * z.r * z.s) return;
  const int lane = threadIdx.x % lanes;
  const Place out = place_of(i, group_c, z.r, z.s, false);
  const int64_t channel = out.n / (z.k / z.groups) * group_c + out.c;
  Compute<T> sum = 0;
  for (int64_t n = 0; n < z.n; ++n)
    for (int64_t pixel = lane; pixel < z.p * z.q; pixel += lanes) {
      const int64_t p = pixel / z.q, q = pixel % z.q;
      const int64_t h = p * z.stride_h + out.h * z.dilation_h - z.padding_h, w = q * z.stride_w + out.w * z.dilation_w - z.padding_w;
      if (h < 0 || h >= z.h || w < 0 || w >= z.w) continue;
      const Compute<T> x = widen(static_cast<const T*>(a.x)[offset_of(z.x_stride, {n, channel, h, w})]);
      sum += x * widen(static_cast<const T*>(a.y)[offset_of(z.y_stride, {n, out.n, p, q})]);
    }
  sum = sum_lanes<lanes>(sum);
  if (lane == 0) static_cast<T*>(a.w)[offset_of(z.w_stride, out)] = narrow<T>(sum);
}

Status run_forward(const Conv2dArgs& a, Workspace& workspace) {
  const int64_t count = a.shape.n * a.shape.k * a.shape.p * a.shape.q;
  if (count == 0) return Status::ok;
  const gpu::Launch at = launch_threads(count, workspace);
  return with_floating_type(a.shape.dtype, [&]<class T>() { return status_of(gpu::launch<conv2d_forward_direct_kernel<T>>(at, a, Epilogue<T>(a))); });
}
Status run_grad_input(const Conv2dArgs& a, Workspace& workspace) {
  const int64_t count = a.shape.n * a.shape.c * a.shape.h * a.shape.w;
  if (count == 0) return Status::ok;
  const gpu::Launch at = launch_threads(count, workspace);
  return with_floating_type(a.shape.dtype, [&]<class T>() { return status_of(gpu::launch<conv2d_grad_input_direct_kernel<T>>(at, a)); });
}
Status run_grad_weight(const Conv2dArgs& a, Workspace& workspace) {
  const Conv2dShape& z = a.shape;
  const int64_t count = z.k * (z.c / z.groups) * z.r * z.s;
  if (count == 0) return Status::ok;
  return with_floating_type(z.dtype, [&]<class T>() {
    if (z.n * z.p * z.q < kManyPixels) return status_of(gpu::launch<conv2d_grad_weight_direct_kernel<T, 1>>(launch_threads(count, workspace), a));
    return status_of(gpu::launch<conv2d_grad_weight_direct_kernel<T, kWarp>>(launch_threads(count, workspace, kWarp), a));
  });
}

double error_of(int64_t products) { return 8 + 2 * __builtin_sqrt(static_cast<double>(products)); }
double forward_error(const Conv2dArgs& a) { return result_error(a, error_of(a.shape.c / a.shape.groups * a.shape.r * a.shape.s)); }
double grad_input_error(const Conv2dArgs& a) { return error_of(a.shape.k / a.shape.groups * a.shape.r * a.shape.s); }
double grad_weight_error(const Conv2dArgs& a) { return error_of(a.shape.n * a.shape.p * a.shape.q); }

}  // namespace

TAPETUM_CANDIDATE(Conv2dArgs, conv2d_forward_direct_cuda){.name = "direct", .supports = supports, .error = forward_error, .run = run_forward};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_input_direct_cuda){
    .name = "direct", .supports = supports, .error = grad_input_error, .run = run_grad_input};
TAPETUM_CANDIDATE(Conv2dArgs, conv2d_grad_weight_direct_cuda){
    .name = "direct", .supports = supports, .error = grad_weight_error, .run = run_grad_weight};

}  // namespace tapetum::kernels
