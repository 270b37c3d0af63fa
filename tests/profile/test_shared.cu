// Shared memory and the emulator's operations: wavefronts, barriers, shuffles, matrix instructions, asynchronous copies.
#include "kernels/cuda/gpu/hopper.cuh"
#include "kernels/cuda/gpu/ptx.cuh"
#include "tests/cuda/harness.h"
#include "tests/profile/counts.h"

namespace tapetum::test {
namespace {

template <int Pad> __global__ void transpose_tiled(const float* x, float* y, int n) {
  __shared__ float tile[32][32 + Pad];
  const int bx = blockIdx.x * 32, by = blockIdx.y * 32;
  for (int i = threadIdx.y; i < 32; i += 8) tile[i][threadIdx.x] = x[(by + i) * n + bx + threadIdx.x];
  __syncthreads();
  for (int i = threadIdx.y; i < 32; i += 8) y[(bx + i) * n + by + threadIdx.x] = tile[threadIdx.x][i];
}
template <class T> __global__ void strided(float* y, int stride) {
  __shared__ __align__(16) T s[32 * 8];
  s[threadIdx.x * stride % 256] = T{};
  y[threadIdx.x] = reinterpret_cast<volatile float*>(s)[0];
}
// 16 x 16 numbers of 16 bits, out of rows of so many 16-byte pieces.
template <int Pieces, bool Swizzled> __global__ void load_matrix(uint32_t* y) {
  auto* s = gpu::dynamic_shared<uint4>();
  for (int i = threadIdx.x; i < 16 * Pieces; i += 32) s[i] = make_uint4(0, 0, 0, 0);
  __syncwarp();
  const int r = threadIdx.x % 16, c = threadIdx.x / 16;
  uint32_t v[4];
  ptx::ldmatrix_x4(v, s + r * Pieces + (Swizzled ? c ^ (r & 7) : c));
  y[threadIdx.x] = v[0] + v[1] + v[2] + v[3];
}
__global__ void in_one_bin(unsigned* y) {
  __shared__ unsigned bin[2];
  if (threadIdx.x < 2) bin[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bin[threadIdx.x % 2], 1u);
  __syncthreads();
  if (threadIdx.x == 0) y[0] = bin[0];
}
constexpr int kFirstOperation = __LINE__ + 3;
__global__ void operations(float* y) {
  float v = 1;
  v += __shfl_xor_sync(~0u, v, 1);
  v += __ballot_sync(~0u, 1);
  __syncwarp();
  __syncthreads();
  float d[4] = {v, v, v, v};
  const uint32_t a[4] = {}, b[2] = {};
  ptx::mma_m16n8k16_bf16(d, a, b);
  ptx::mma_m16n8k8_tf32(d, a, b);
  y[threadIdx.x] = d[0];
}
__global__ void copy_async(const float* x, float* y) {
  auto* s = gpu::dynamic_shared<float>();
  ptx::cp_async<16>(s + 4 * threadIdx.x, x + 4 * threadIdx.x);
  ptx::cp_async<4>(s + 128 + threadIdx.x, x + threadIdx.x, threadIdx.x < 8);
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
}
__global__ void copy_box(const gpu::TensorMap GPU_IN_PLACE map, float* y) {
  auto* s = gpu::dynamic_shared<char>();
  auto* bar = reinterpret_cast<uint64_t*>(s + 8 * 128);
  if (threadIdx.x == 0) {
    ptx::mbarrier_init(bar, 1);
    ptx::mbarrier_fence_init();
    ptx::mbarrier_arrive_expect_tx(bar, 8 * 128);
    ptx::tma_load_2d(s, &map, 0, 12, bar);
  }
  __syncthreads();
  ptx::mbarrier_wait(bar, 0);
  y[threadIdx.x] = s[threadIdx.x];
}

}  // namespace

TEST_CASE("profile: a transpose in tiles, with and without padding", "[profile]") {
  const Array<float> x(256 * 256), y(256 * 256);
  const auto plain = kernel_of([&] { gpu::launch<transpose_tiled<0>>({.grid = dim3(8, 8), .block = dim3(32, 8)}, x.data(), y.data(), 256); });
  CHECK(global(plain, Kind::global_load) == Global{2048, 65536, 262144, 8192, 8192});
  CHECK(global(plain, Kind::global_store) == Global{2048, 65536, 262144, 8192, 8192});
  CHECK(shared(plain, Kind::shared_store) == Shared{2048, 2048, 2048});
  CHECK(shared(plain, Kind::shared_load) == Shared{2048, 2048 * 32, 2048});
  CHECK(plain.total(Kind::barrier).requests == 64 * 8);
  const auto padded = kernel_of([&] { gpu::launch<transpose_tiled<1>>({.grid = dim3(8, 8), .block = dim3(32, 8)}, x.data(), y.data(), 256); });
  CHECK(shared(padded, Kind::shared_store) == Shared{2048, 2048, 2048});
  CHECK(shared(padded, Kind::shared_load) == Shared{2048, 2048, 2048});
}

TEST_CASE("profile: strides in shared memory", "[profile]") {
  const Array<float> y(32);
  const auto stores = [&]<class T>(T, int stride) {
    return shared(kernel_of([&] { gpu::launch<strided<T>>({.grid = 1, .block = 32}, y.data(), stride); }), Kind::shared_store);
  };
  CHECK(stores(float(), 1) == Shared{1, 1, 1});
  CHECK(stores(float(), 2) == Shared{1, 2, 1});
  CHECK(stores(float(), 8) == Shared{1, 8, 1});
  CHECK(stores(static_cast<unsigned char>(0), 1) == Shared{1, 1, 1});
  CHECK(stores(static_cast<unsigned char>(0), 8) == Shared{1, 2, 1});
  CHECK(stores(float2(), 1) == Shared{1, 2, 2});
  CHECK(stores(float2(), 2) == Shared{1, 4, 2});
  CHECK(stores(float4(), 1) == Shared{1, 4, 4});
  CHECK(stores(float4(), 8) == Shared{1, 32, 4});
  const auto one_word = kernel_of([&] { gpu::launch<strided<float>>({.grid = 1, .block = 32}, y.data(), 1); });
  CHECK(shared(one_word, Kind::shared_load) == Shared{1, 1, 1});
}

TEST_CASE("profile: ldmatrix from rows of any length", "[profile]") {
  const Array<uint32_t> y(32);
  const auto loads = [&]<int Pieces, bool Swizzled>() {
    return shared(kernel_of([&] { gpu::launch<load_matrix<Pieces, Swizzled>>({.grid = 1, .block = 32, .smem = 4096}, y.data()); }), Kind::ldmatrix);
  };
  CHECK(loads.operator()<8, false>() == Shared{1, 32, 4});  // 128 bytes: all rows of a matrix in the same banks
  CHECK(loads.operator()<8, true>() == Shared{1, 4, 4});
  CHECK(loads.operator()<9, false>() == Shared{1, 4, 4});  // padded
  CHECK(loads.operator()<4, false>() == Shared{1, 16, 4});
}

TEST_CASE("profile: atomics in shared memory", "[profile]") {
  const Array<unsigned> y(1);
  const auto k = kernel_of([&] { gpu::launch<in_one_bin>({.grid = 1, .block = 64}, y.data()); });
  CHECK(k.total(Kind::shared_atomic).requests == 2);
  CHECK(k.total(Kind::shared_atomic).serial == 2 * 16);
  CHECK(k.total(Kind::shared_store).lanes == 2);
  CHECK(k.total(Kind::shared_load).lanes == 1);
}

TEST_CASE("profile: operations count where they are called", "[profile]") {
  const Array<float> y(64);
  const auto k = kernel_of([&] { gpu::launch<operations>({.grid = 2, .block = 64}, y.data()); });
  std::vector<Kind> kinds;
  for (const profile::Line& l : k.lines)
    if (!is_global(l.kind)) {
      kinds.push_back(l.kind);
      CHECK(l.requests == 4);
      CHECK(l.lanes == 4 * 32);
      CHECK(l.file == "tests/profile/test_shared.cu");
      CHECK(l.line >= kFirstOperation);
    }
  CHECK(kinds == std::vector<Kind>{Kind::shuffle, Kind::vote, Kind::syncwarp, Kind::barrier, Kind::mma, Kind::mma});
  CHECK(k.flops() == 4 * (2 * 16 * 8 * 16 + 2 * 16 * 8 * 8));
}

TEST_CASE("profile: asynchronous copies", "[profile]") {
  const Array<float> x(128), y(32);
  const auto k = kernel_of([&] { gpu::launch<copy_async>({.grid = 1, .block = 32, .smem = 1024}, x.data(), y.data()); });
  CHECK(global(k, Kind::cp_async) == Global{2, 32 + 8, 512 + 32, 16 + 1, 16 + 1});
  CHECK(shared(k, Kind::cp_async_shared) == Shared{2, 4 + 1, 4 + 1});
  CHECK(k.unique_read == 512);
  CHECK(k.loaded() == 32 * 17);

  const Array<__nv_bfloat16> matrix(16 * 64);
  gpu::TensorMap map;
  REQUIRE(gpu::make_tensor_map_2d(&map, matrix.data(), 16, 64, 128, 8, 64, gpu::Swizzle::b128) == cudaSuccess);
  const auto box = kernel_of([&] { gpu::launch<copy_box>({.grid = 1, .block = 32, .smem = 2048}, map, y.data()); });
  CHECK(global(box, Kind::tma_load) == Global{1, 1, 4 * 128, 16, 16});  // rows 12 to 15, the others lie outside
  CHECK(box.total(Kind::mbarrier).requests == 2);
}

}  // namespace tapetum::test
