// The library's, of any strides and types (kernels/cpu/gemm.cpp): step 6 in blocks for L1 and L2, and other ways for few rows or columns.
#include "kernels/matmul.h"
#include "ladders/cpu_gemm/cpu_gemm.h"

namespace tapetum::ladders {
namespace {

void multiply(float* c, const float* a, const float* b, int m, int n, int k) {
  kernels::MatmulArgs product{};
  product.shape.batch.ndim = 0;
  product.shape.batch.count = 1;
  product.shape.m = m, product.shape.n = n, product.shape.k = k;
  product.shape.a = {k, 1}, product.shape.b = product.shape.c = {n, 1};
  product.shape.dtype = DType::f32;
  product.a = a, product.b = b, product.c = c;
  kernels::matmul_forward.run({DeviceKind::cpu, nullptr}, product);
}

const CpuGemm step(__FILE__, multiply);

}  // namespace
}  // namespace tapetum::ladders
