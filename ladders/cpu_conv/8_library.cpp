// The library's, of any strides and types: for such shapes step 7's products, in other blocks where the transformed filter is too large for L2.
#include <algorithm>

#include "kernels/conv.h"
#include "ladders/cpu_conv/cpu_conv.h"

namespace tapetum::ladders {
namespace {

void convolve(float* y, const float* x, const float* filter, int h, int w, int c, int k) {
  kernels::Conv2dArgs args{};
  kernels::Conv2dShape& z = args.shape;
  z.n = z.groups = z.stride_h = z.stride_w = z.padding_h = z.padding_w = z.dilation_h = z.dilation_w = 1;
  z.c = c, z.k = k, z.h = z.p = h, z.w = z.q = w, z.r = z.s = 3;
  std::copy_n(std::begin({int64_t{h} * w * c, int64_t{1}, int64_t{w} * c, int64_t{c}}), 4, z.x_stride);  // of n, c, h, w
  std::copy_n(std::begin({int64_t{1}, int64_t{k}, int64_t{3} * c * k, int64_t{c} * k}), 4, z.w_stride);  // of k, c, r, s
  std::copy_n(std::begin({int64_t{h} * w * k, int64_t{1}, int64_t{w} * k, int64_t{k}}), 4, z.y_stride);
  z.dtype = DType::f32;
  args.x = const_cast<float*>(x), args.w = const_cast<float*>(filter), args.y = y;
  kernels::conv2d_forward.run({DeviceKind::cpu, nullptr}, args);
}

const CpuConv step(__FILE__, convolve);

}  // namespace
}  // namespace tapetum::ladders
