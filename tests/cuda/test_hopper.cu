// Instructions of sm_90a: a product through TMA, mbarrier and wgmma, and the faults that only they can have.
#include "tests/cuda/gemm.h"
#include "tests/cuda/harness.h"
#include "kernels/cuda/gpu/hopper.cuh"

namespace tapetum::test {
namespace {

constexpr int kTile = 64, kStages = 3, kConsumers = 128, kThreads = kConsumers + 32;

struct Tiles {
  __nv_bfloat16 a[kStages][kTile * kTile], b[kStages][kTile * kTile];  // rows of 128 bytes, swizzled
  uint64_t full[kStages], empty[kStages];
};

enum class Fault { none, no_init, no_init_fence, few_bytes, no_fence, no_wait };

// c[m, n] = a[m, k] b by one block. The last warp copies tiles into a ring of stages, the first four multiply. MnMajor: b is [k, n],
// otherwise [n, k].
template <bool MnMajor, Fault fault>
__global__ void __launch_bounds__(kThreads)
    ring_kernel(const __grid_constant__ gpu::TensorMap map_a, const __grid_constant__ gpu::TensorMap map_b, float* c, int m, int n, int k) {
  Tiles& s = *gpu::dynamic_shared<Tiles>();
  const int tid = static_cast<int>(threadIdx.x), tiles = (k + kTile - 1) / kTile;
  if (tid == 0 && fault != Fault::no_init) {
    for (int i = 0; i < kStages; ++i) {
      ptx::mbarrier_init(&s.full[i], 1);
      ptx::mbarrier_init(&s.empty[i], 1);
    }
    if (fault != Fault::no_init_fence) ptx::mbarrier_fence_init();
  }
  __syncthreads();
  if (tid == kConsumers) {
    for (int t = 0; t < tiles; ++t) {
      const int stage = t % kStages, phase = t / kStages % 2;
      ptx::mbarrier_wait(&s.empty[stage], phase ^ 1);
      ptx::mbarrier_arrive_expect_tx(&s.full[stage], 2 * sizeof(s.a[0]) + (fault == Fault::few_bytes ? 16 : 0));
      ptx::tma_load_2d(s.a[stage], &map_a, t * kTile, 0, &s.full[stage]);
      ptx::tma_load_2d(s.b[stage], &map_b, MnMajor ? 0 : t * kTile, MnMajor ? t * kTile : 0, &s.full[stage]);
    }
  }
  if (tid >= kConsumers) return;
  float d[8][4] = {};
  for (int t = 0; t < tiles; ++t) {
    const int stage = t % kStages, phase = t / kStages % 2;
    ptx::mbarrier_wait(&s.full[stage], phase);
    if (fault != Fault::no_fence) ptx::wgmma_fence();
    for (int step = 0; step < kTile; step += 16) {
      const uint64_t da = ptx::wgmma_desc(&s.a[stage][step], 0, 1024, gpu::Swizzle::b128);
      const uint64_t db = ptx::wgmma_desc(&s.b[stage][MnMajor ? step * kTile : step], 0, 1024, gpu::Swizzle::b128);
      ptx::wgmma_m64k16<false, false, MnMajor>(d, da, db, true);
    }
    ptx::wgmma_commit();
    if (fault != Fault::no_wait) ptx::wgmma_wait<0>();
    if (tid == 0) ptx::mbarrier_arrive(&s.empty[stage]);
  }
  for (int j = 0; j < 8; ++j)
    for (int q = 0; q < 4; ++q) {
      const int row = tid / 32 * 16 + tid % 32 / 4 + q / 2 * 8, col = j * 8 + tid % 4 * 2 + q % 2;
      if (row < m && col < n) c[row * n + col] = d[j][q];
    }
}

constexpr int kM = 60, kN = 56, kDepth = 456;  // ragged, and long enough to go around the ring more than twice

struct Result {
  std::string fault;
  float error;
};
template <bool MnMajor, Fault fault = Fault::none> Result run() {
  const auto a = as_bf16(normal(kM * kDepth, 30)), b = as_bf16(normal(kDepth * kN, 31));
  const Array<__nv_bfloat16> da(a), db(b);
  const Array<float> dc(kM * kN);
  gpu::TensorMap map_a, map_b;
  const int rows = MnMajor ? kDepth : kN, cols = MnMajor ? kN : kDepth;
  REQUIRE(gpu::make_tensor_map_2d(&map_a, da.data(), kM, kDepth, kDepth * 2, kTile, kTile, gpu::Swizzle::b128) == cudaSuccess);
  REQUIRE(gpu::make_tensor_map_2d(&map_b, db.data(), rows, cols, cols * 2, kTile, kTile, gpu::Swizzle::b128) == cudaSuccess);
  const gpu::Launch at{.grid = 1, .block = kThreads, .smem = sizeof(Tiles)};
  const std::string text = fault_of<ring_kernel<MnMajor, fault>>(at, map_a, map_b, dc.data(), kM, kN, kDepth);
  return {text, greatest_difference(dc.get(), product(as_float(a), as_float(b), kM, kN, kDepth, !MnMajor))};
}

constexpr int kWide = 256;
struct WideTiles {
  uint16_t a[64 * kTile], b[kWide * kTile];
  uint64_t full;
};

// c[64, 256] = a[64, 64] b[64, 256] by four warps. TransA, TransB: stored along M, N.
template <bool F16, bool TransA, bool TransB>
__global__ void wide_kernel(const __grid_constant__ gpu::TensorMap map_a, const __grid_constant__ gpu::TensorMap map_b, float* c) {
  WideTiles& s = *gpu::dynamic_shared<WideTiles>();
  const int tid = static_cast<int>(threadIdx.x);
  if (tid == 0) {
    ptx::mbarrier_init(&s.full, 1);
    ptx::mbarrier_fence_init();
    ptx::mbarrier_arrive_expect_tx(&s.full, sizeof s.a + sizeof s.b);
    ptx::tma_load_2d(s.a, &map_a, 0, 0, &s.full);
    for (int n = 0; n < kWide; n += TransB ? 64 : kWide) ptx::tma_load_2d(s.b + n * kTile, &map_b, TransB ? n : 0, 0, &s.full);
  }
  __syncthreads();
  ptx::mbarrier_wait(&s.full, 0);
  float d[32][4] = {};
  ptx::wgmma_fence();
  for (int step = 0; step < kTile; step += 16) {
    const uint64_t a = ptx::wgmma_desc(s.a + (TransA ? step * 64 : step), 8192, 1024, gpu::Swizzle::b128);
    const uint64_t b = ptx::wgmma_desc(s.b + (TransB ? step * 64 : step), 8192, 1024, gpu::Swizzle::b128);
    ptx::wgmma_m64k16<F16, TransA, TransB>(d, a, b, true);
  }
  ptx::wgmma_commit();
  ptx::wgmma_wait<0>();
  for (int j = 0; j < 32; ++j)
    for (int q = 0; q < 4; ++q) c[(tid / 32 * 16 + tid % 32 / 4 + q / 2 * 8) * kWide + j * 8 + tid % 4 * 2 + q % 2] = d[j][q];
}

// c[64, N] = a[64, 64] b[64, N], a in registers; b is a box of a tensor [3, 2, 64, N].
template <class T, int N> __global__ void registers_kernel(const __grid_constant__ gpu::TensorMap map_b, const T* a, float* c) {
  WideTiles& s = *gpu::dynamic_shared<WideTiles>();
  const int tid = static_cast<int>(threadIdx.x), row = tid / 32 * 16 + tid % 32 / 4, column = tid % 4 * 2;
  if (tid == 0) {
    ptx::mbarrier_init(&s.full, 1);
    ptx::mbarrier_fence_init();
    ptx::mbarrier_arrive_expect_tx(&s.full, N * kTile * 2);
    for (int n = 0; n < N; n += 64) ptx::tma_load_4d(s.b + n * kTile, &map_b, n, 0, 1, 2, &s.full);
  }
  __syncthreads();
  ptx::mbarrier_wait(&s.full, 0);
  float d[N / 8][4];  // the first product overwrites what they hold
  uint32_t words[kTile / 16][4];
  for (int i = 0; i < kTile / 16; ++i)
    for (int q = 0; q < 4; ++q) memcpy(&words[i][q], a + (row + q % 2 * 8) * kTile + i * 16 + q / 2 * 8 + column, 4);
  ptx::wgmma_fence();
#pragma unroll
  for (int i = 0; i < kTile / 16; ++i)
    ptx::wgmma_m64k16<std::is_same_v<T, __half>, true>(d, words[i], ptx::wgmma_desc(s.b + i * 16 * 64, 8192, 1024, gpu::Swizzle::b128), i > 0);
  ptx::wgmma_commit();
  ptx::wgmma_wait<0>();
  ptx::wgmma_done(d);
  for (int j = 0; j < N / 8; ++j)
    for (int q = 0; q < 4; ++q) c[(row + q / 2 * 8) * N + j * 8 + column + q % 2] = d[j][q];
}

std::vector<float> transposed(const std::vector<float>& x, int rows, int columns) {
  std::vector<float> y(x.size());
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) y[static_cast<size_t>(j * rows + i)] = x[static_cast<size_t>(i * columns + j)];
  return y;
}

template <class T, bool TransA, bool TransB> float wide_error() {
  const auto a = normal(64 * kTile, 32), b = normal(kTile * kWide, 33);
  const auto rounded = [](const std::vector<float>& x) { return std::vector<T>(x.begin(), x.end()); };
  const auto ra = rounded(a), rb = rounded(b);
  const std::vector<float> fa(ra.begin(), ra.end()), fb(rb.begin(), rb.end());
  const Array<T> da(rounded(TransA ? transposed(fa, 64, kTile) : fa)), db(rounded(TransB ? fb : transposed(fb, kTile, kWide)));
  const Array<float> dc(64 * kWide);
  gpu::TensorMap map_a, map_b;
  REQUIRE(gpu::make_tensor_map_2d(&map_a, da.data(), 64, kTile, kTile * 2, 64, 64, gpu::Swizzle::b128) == cudaSuccess);
  const int rows = TransB ? kTile : kWide, cols = TransB ? kWide : kTile;
  REQUIRE(gpu::make_tensor_map_2d(&map_b, db.data(), rows, cols, cols * 2, rows, 64, gpu::Swizzle::b128) == cudaSuccess);
  constexpr bool f16 = std::is_same_v<T, __half>;
  const std::string text = fault_of<wide_kernel<f16, TransA, TransB>>({.grid = 1, .block = 128, .smem = sizeof(WideTiles)}, map_a, map_b, dc.data());
  REQUIRE(text == "");
  return greatest_difference(dc.get(), product(fa, fb, 64, kWide, kTile));
}

template <class T, int N> float registers_error() {
  const auto a = normal(64 * kTile, 34), b = normal(6 * kTile * N, 35);
  const std::vector<T> ra(a.begin(), a.end()), rb(b.begin(), b.end());
  const std::vector<float> fa(ra.begin(), ra.end()), last(rb.end() - kTile * N, rb.end());  // 2 of 3, 1 of 2
  const Array<T> da(ra), db(rb);
  const Array<float> dc(64 * N);
  gpu::TensorMap map;
  constexpr uint64_t row = 2 * N;
  REQUIRE(gpu::make_tensor_map<4>(&map, db.data(), {N, kTile, 2, 3}, {row, row * kTile, row * kTile * 2}, {64, kTile, 1, 1}, gpu::Swizzle::b128) ==
          cudaSuccess);
  REQUIRE(fault_of<registers_kernel<T, N>>({.grid = 1, .block = 128, .smem = sizeof(WideTiles)}, map, da.data(), dc.data()) == "");
  return greatest_difference(dc.get(), product(fa, last, 64, N, kTile));
}

}  // namespace

TEST_CASE("emulation: wgmma with one operand in registers, the other a box of a tensor of four dimensions", "[emulated]") {
  for_completions([&] {
    CHECK(registers_error<__half, 64>() < 1e-3f);
    CHECK(registers_error<__half, 128>() < 1e-3f);
    CHECK(registers_error<__nv_bfloat16, 64>() < 1e-3f);
    CHECK(registers_error<__nv_bfloat16, 128>() < 1e-3f);
  });
}

TEST_CASE("emulation: wgmma of 64 x 256 in f16 and bf16, operands stored either way", "[emulated]") {
  CHECK(wide_error<__half, false, false>() < 1e-3f);
  CHECK(wide_error<__half, true, true>() < 1e-3f);
  CHECK(wide_error<__nv_bfloat16, false, true>() < 1e-3f);
  CHECK(wide_error<__nv_bfloat16, true, false>() < 1e-3f);
}

TEST_CASE("emulation: a ring of TMA copies and wgmma", "[emulated]") {
  for_completions([&] {
    for (const Result& r : {run<false>(), run<true>()}) {
      REQUIRE(r.fault == "");
      REQUIRE(r.error < 1e-3f);
    }
  });
}

#if !defined(__CUDACC__)  // a GPU would wait for ever

TEST_CASE("emulation: an mbarrier that nobody initialised", "[emulated]") {
  CHECK_THAT((run<false, Fault::no_init>().fault), Catch::Contains("mbarrier") && Catch::Contains("not initialised"));
}

TEST_CASE("emulation: an mbarrier that the copies need not see yet", "[emulated]") {
  CHECK_THAT((run<false, Fault::no_init_fence>().fault), Catch::Contains("TMA load") && Catch::Contains("no fence"));
}

TEST_CASE("emulation: an mbarrier that expects more bytes than come", "[emulated]") {
  CHECK_THAT((run<false, Fault::few_bytes>().fault), Catch::Contains("deadlock") && Catch::Contains("mbarrier wait"));
}

TEST_CASE("emulation: wgmma without a fence behind what the threads did to its registers", "[emulated]") {
  CHECK_THAT((run<false, Fault::no_fence>().fault), Catch::Contains("no wgmma.fence"));
}

TEST_CASE("emulation: accumulators of wgmma are NaN until it is waited for", "[emulated]") { CHECK(std::isnan(run<false, Fault::no_wait>().error)); }

#endif

}  // namespace tapetum::test
