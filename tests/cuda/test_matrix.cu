// Tensor-core instructions of sm_80: each kind of mma, and the usual path to it through cp.async and ldmatrix.
#include <cmath>

#include "tests/cuda/gemm.h"
#include "tests/cuda/harness.h"
#include "kernels/cuda/gpu/ptx.cuh"

namespace tapetum::test {
namespace {

constexpr int kDepth = 64;
enum class Kind { bf16, f16, tf32, s8 };

template <Kind kind> __device__ uint32_t pack(float low, float high) {
  if constexpr (kind == Kind::bf16) return ptx::pack_bf16(low, high);
  return ptx::pack_f16(low, high);
}
__device__ uint32_t pack_s8(const float* p, int stride) {
  uint32_t r = 0;
  for (int i = 0; i < 4; ++i) r |= (static_cast<uint32_t>(static_cast<int>(p[i * stride])) & 255u) << 8 * i;
  return r;
}

// One warp: c[16, 8] = a[16, kDepth] b[kDepth, 8]. Lane 4g + t holds the elements that the PTX ISA gives it.
template <Kind kind> __global__ void mma_kernel(const float* a, const float* b, float* c) {
  const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
  constexpr int step = kind == Kind::s8 ? 32 : kind == Kind::tf32 ? 8 : 16;
  float d[4] = {};
  int di[4] = {};
  for (int k = 0; k < kDepth; k += step) {
    if constexpr (kind == Kind::bf16 || kind == Kind::f16) {
      const float *a0 = a + g * kDepth + k + 2 * t, *a1 = a0 + 8 * kDepth, *b0 = b + (k + 2 * t) * 8 + g;
      const uint32_t ra[4] = {pack<kind>(a0[0], a0[1]), pack<kind>(a1[0], a1[1]), pack<kind>(a0[8], a0[9]), pack<kind>(a1[8], a1[9])};
      const uint32_t rb[2] = {pack<kind>(b0[0], b0[8]), pack<kind>(b0[64], b0[72])};
      if constexpr (kind == Kind::bf16)
        ptx::mma_m16n8k16_bf16(d, ra, rb);
      else
        ptx::mma_m16n8k16_f16(d, ra, rb);
    } else if constexpr (kind == Kind::tf32) {
      const float *a0 = a + g * kDepth + k + t, *a1 = a0 + 8 * kDepth, *b0 = b + (k + t) * 8 + g;
      const uint32_t ra[4] = {ptx::cvt_tf32(a0[0]), ptx::cvt_tf32(a1[0]), ptx::cvt_tf32(a0[4]), ptx::cvt_tf32(a1[4])};
      const uint32_t rb[2] = {ptx::cvt_tf32(b0[0]), ptx::cvt_tf32(b0[32])};
      ptx::mma_m16n8k8_tf32(d, ra, rb);
    } else {
      const float *a0 = a + g * kDepth + k + 4 * t, *a1 = a0 + 8 * kDepth, *b0 = b + (k + 4 * t) * 8 + g;
      const uint32_t ra[4] = {pack_s8(a0, 1), pack_s8(a1, 1), pack_s8(a0 + 16, 1), pack_s8(a1 + 16, 1)};
      const uint32_t rb[2] = {pack_s8(b0, 8), pack_s8(b0 + 128, 8)};
      ptx::mma_m16n8k32_s8(di, ra, rb);
    }
  }
  for (int q = 0; q < 4; ++q) c[(g + q / 2 * 8) * 8 + 2 * t + q % 2] = kind == Kind::s8 ? static_cast<float>(di[q]) : d[q];
}

template <Kind kind> float mma_error() {
  auto a = normal(16 * kDepth, 20), b = normal(kDepth * 8, 21);
  if (kind == Kind::s8)
    for (auto* values : {&a, &b})
      for (float& x : *values) x = std::round(4 * x);
  const Array<float> da(a), db(b), dc(16 * 8);
  REQUIRE(fault_of<mma_kernel<kind>>({.grid = 1, .block = 32}, da.data(), db.data(), dc.data()) == "");
  return greatest_difference(dc.get(), product(a, b, 16, 8, kDepth));
}

// The same product in bf16, of the first `depth` steps: the next tile is copied while this one is multiplied.
struct Tiles {
  __nv_bfloat16 a[2][16][16], b[2][16][8];
};
__global__ void pipeline_kernel(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c, int depth) {
  Tiles& s = *gpu::dynamic_shared<Tiles>();
  const int lane = static_cast<int>(threadIdx.x);
  const auto load = [&](int k, int stage) {
    const int row = lane / 2, col = lane % 2 * 8;
    ptx::cp_async_part<16>(&s.a[stage][row][col], a + row * kDepth + k + col, 2 * max(0, min(8, depth - k - col)));
    if (lane < 16) ptx::cp_async<16>(&s.b[stage][lane][0], b + (k + lane) * 8, k + lane < depth);
    ptx::cp_async_commit();
  };
  float d[4] = {};
  load(0, 0);
  for (int k = 0, stage = 0; k < depth; k += 16, stage ^= 1) {
    if (k + 16 < depth)
      load(k + 16, stage ^ 1);
    else
      ptx::cp_async_commit();
    ptx::cp_async_wait<1>();
    __syncwarp();
    uint32_t ra[4], rb[2];
    ptx::ldmatrix_x4(ra, &s.a[stage][lane % 16][lane / 16 * 8]);
    ptx::ldmatrix_x2<true>(rb, &s.b[stage][lane % 16][0]);
    ptx::mma_m16n8k16_bf16(d, ra, rb);
    __syncwarp();
  }
  for (int q = 0; q < 4; ++q) c[(lane / 4 + q / 2 * 8) * 8 + lane % 4 * 2 + q % 2] = d[q];
}

}  // namespace

TEST_CASE("emulation: mma in bf16, f16, tf32 and s8", "[emulated]") {
  CHECK(mma_error<Kind::bf16>() < 0.2f);
  CHECK(mma_error<Kind::f16>() < 0.03f);
  CHECK(mma_error<Kind::tf32>() < 0.03f);
  CHECK(mma_error<Kind::s8>() == 0);
}

TEST_CASE("emulation: a pipeline of cp.async, ldmatrix and mma", "[emulated]") {
  constexpr int kUsed = kDepth - 5;  // steps: the last piece of 8 is copied in part
  auto a = as_bf16(normal(16 * kDepth, 22));
  const auto b = as_bf16(normal(kDepth * 8, 23));
  const Array<__nv_bfloat16> da(a), db(b);
  for (int i = 0; i < 16; ++i)
    for (int k = kUsed; k < kDepth; ++k) a[static_cast<size_t>(i * kDepth + k)] = __float2bfloat16(0);
  for_completions([&] {
    const Array<float> dc(16 * 8);
    REQUIRE(fault_of<pipeline_kernel>({.grid = 1, .block = 32, .smem = sizeof(Tiles)}, da.data(), db.data(), dc.data(), kUsed) == "");
    REQUIRE(greatest_difference(dc.get(), product(as_float(a), as_float(b), 16, 8, kDepth)) < 1e-4f);
  });
}

}  // namespace tapetum::test
