// Global memory: kernels whose requests and sectors follow from arithmetic.
#include "tests/cuda/harness.h"
#include "tests/profile/counts.h"

namespace tapetum::test {
namespace {

constexpr int kSide = 256;

constexpr int kLoadLine = __LINE__ + 3;
__global__ void transpose_naive(const float* x, float* y) {
  const int c = blockIdx.x * 32 + threadIdx.x, r = blockIdx.y * 8 + threadIdx.y;
  const float v = x[r * kSide + c];
  y[c * kSide + r] = v;
}
template <class T> __global__ void copy(const T* x, T* y, int stride, int shift) {
  const int i = (blockIdx.x * blockDim.x + threadIdx.x) * stride + shift;
  y[i] = x[i];
}
__global__ void reverse4(const float* x, float* y) {  // through registers, rebuilt
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float4 v = reinterpret_cast<const float4*>(x)[i];
  reinterpret_cast<float4*>(y)[i] = make_float4(v.w, v.z, v.y, v.x);
}
struct Body {  // 48 bytes
  float4 a, b, c;
};
struct Four {  // aligned as a float is: four accesses
  float a, b, c, d;
};
struct Three {
  float a, b, c;
};
struct Two {
  float a, b;
};
__global__ void broadcast(const float* x, float* y) { y[blockIdx.x * 32 + threadIdx.x] = __ldg(x + blockIdx.x); }
__global__ void four_in_a_row(const float* x, float* y) {
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += x[4 * threadIdx.x + i];
  y[threadIdx.x] = sum;
}
__global__ void product_naive(const float* a, const float* b, float* c) {
  const int column = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 8 + threadIdx.y;
  float sum = 0;
  for (int k = 0; k < kSide; ++k) sum += a[row * kSide + k] * b[k * kSide + column];
  c[row * kSide + column] = sum;
}
__global__ void atomics(unsigned* bins, float* sum) {
  atomicAdd(&bins[threadIdx.x], 1u);
  atomicAdd(&bins[threadIdx.x / 8], 1u);
  atomicAdd(sum, 1.0f);
}

}  // namespace

TEST_CASE("profile: a transpose without shared memory", "[profile]") {
  const Array<float> x(kSide * kSide), y(kSide * kSide);
  const auto k = kernel_of([&] { gpu::launch<transpose_naive>({.grid = dim3(8, 32), .block = dim3(32, 8)}, x.data(), y.data()); });
  CHECK(global(k, Kind::global_load) == Global{2048, 65536, 262144, 2048 * 4, 2048 * 4});
  CHECK(global(k, Kind::global_store) == Global{2048, 65536, 262144, 2048 * 32, 2048 * 4});
  CHECK(k.total(Kind::global_store).cache_lines == 2048 * 32);
  CHECK(k.unique_read == 262144);
  CHECK(k.unique_written == 262144);
  CHECK(k.stored() == 8 * 262144);
  CHECK(k.launches == 1);
  CHECK(k.grid.y == 32);
  CHECK(k.block.y == 8);
  CHECK(k.name.find("transpose_naive") != k.name.npos);
  REQUIRE(k.lines.size() == 2);
  CHECK(k.lines[0].file == "tests/profile/test_global.cu");
  CHECK(k.lines[0].line == kLoadLine);
  CHECK(k.lines[0].kind == Kind::global_load);
  CHECK(k.lines[0].size == 4);
  CHECK(k.lines[1].line == kLoadLine + 1);
}

TEST_CASE("profile: copies of any width, stride and alignment", "[profile]") {
  const Array<float> x(64 * 256 * 32 + 1), y(64 * 256 * 32 + 1);
  const auto copied = [&](int stride, int shift) {
    return kernel_of([&] { gpu::launch<copy<float>>({.grid = 64, .block = 256}, x.data(), y.data(), stride, shift); });
  };
  const auto dense = copied(1, 0);
  CHECK(global(dense, Kind::global_load) == Global{512, 16384, 65536, 2048, 2048});
  CHECK(global(dense, Kind::global_store) == Global{512, 16384, 65536, 2048, 2048});
  CHECK(global(copied(2, 0), Kind::global_load) == Global{512, 16384, 65536, 512 * 8, 2048});
  CHECK(global(copied(32, 0), Kind::global_load) == Global{512, 16384, 65536, 512 * 32, 2048});
  const auto shifted = copied(1, 1);
  CHECK(global(shifted, Kind::global_load) == Global{512, 16384, 65536, 512 * 5, 2048});
  CHECK(shifted.total(Kind::global_load).cache_lines == 512 * 2);
  CHECK(shifted.unique_read == 65536);

  auto *x4 = reinterpret_cast<float4*>(x.data()), *y4 = reinterpret_cast<float4*>(y.data());
  const auto wide = kernel_of([&] { gpu::launch<copy<float4>>({.grid = 16, .block = 256}, x4, y4, 1, 0); });
  CHECK(global(wide, Kind::global_load) == Global{128, 4096, 65536, 2048, 2048});
  CHECK(global(wide, Kind::global_store) == Global{128, 4096, 65536, 2048, 2048});
  const auto rebuilt = kernel_of([&] { gpu::launch<reverse4>({.grid = 16, .block = 256}, x.data(), y.data()); });
  CHECK(global(rebuilt, Kind::global_load) == Global{128, 4096, 65536, 2048, 2048});
  CHECK(global(rebuilt, Kind::global_store) == Global{128, 4096, 65536, 2048, 2048});
  // Three requests of 16 bytes, 48 bytes from lane to lane: each lane has a sector of its own.
  auto *xb = reinterpret_cast<Body*>(x.data()), *yb = reinterpret_cast<Body*>(y.data());
  const auto body = kernel_of([&] { gpu::launch<copy<Body>>({.grid = 1, .block = 32}, xb, yb, 1, 0); });
  CHECK(global(body, Kind::global_load) == Global{3, 96, 1536, 3 * 32, 3 * 16});
  // Aligned to 4 bytes, a structure is read float by float.
  const auto of_floats = [&]<class T>(T) {
    return kernel_of([&] { gpu::launch<copy<T>>({.grid = 1, .block = 32}, reinterpret_cast<T*>(x.data()), reinterpret_cast<T*>(y.data()), 1, 0); });
  };
  CHECK(global(of_floats(Four()), Kind::global_load) == Global{4, 128, 512, 4 * 16, 4 * 4});
  CHECK(global(of_floats(Three()), Kind::global_load) == Global{3, 96, 384, 3 * 12, 3 * 4});
  CHECK(global(of_floats(Two()), Kind::global_load) == Global{2, 64, 256, 2 * 8, 2 * 4});
  CHECK(of_floats(Four()).total(Kind::global_load).wide_requests == 1);
  CHECK(global(of_floats(float2()), Kind::global_load) == Global{1, 32, 256, 8, 8});
  const auto one = kernel_of([&] { gpu::launch<broadcast>({.grid = 64, .block = 32}, x.data(), y.data()); });
  CHECK(global(one, Kind::global_load) == Global{64, 2048, 8192, 64, 64});
}

TEST_CASE("profile: neighbouring accesses of a thread could be one", "[profile]") {
  const Array<float> x(128), y(32);
  const auto k = kernel_of([&] { gpu::launch<four_in_a_row>({.grid = 1, .block = 32}, x.data(), y.data()); });
  CHECK(global(k, Kind::global_load) == Global{4, 128, 512, 64, 16});
  CHECK(k.total(Kind::global_load).wide_requests == 1);
  CHECK(k.total(Kind::global_load).wide_sectors == 16);
  CHECK(k.total(Kind::global_store).wide_requests == 1);
}

TEST_CASE("profile: what a product reads", "[profile]") {
  const Array<float> a(kSide * kSide), b(kSide * kSide), c(kSide * kSide);
  const auto k = kernel_of([&] { gpu::launch<product_naive>({.grid = dim3(8, 32), .block = dim3(32, 8)}, a.data(), b.data(), c.data()); });
  CHECK(k.total(Kind::global_load).requests == 2 * 2048 * 256);
  CHECK(k.total(Kind::global_load).sectors == 2048 * 256 * (1 + 4));  // of a one word for all lanes, of b 32 words
  CHECK(k.unique_read == 2 * 262144);
  CHECK(k.flops() == 0);
}

TEST_CASE("profile: atomics on 32, 4 and one address", "[profile]") {
  const Array<unsigned> bins(32);
  const Array<float> sum(1);
  const auto k = kernel_of([&] { gpu::launch<atomics>({.grid = 1, .block = 32}, bins.data(), sum.data()); });
  CHECK(k.total(Kind::global_atomic).requests == 3);
  CHECK(k.total(Kind::global_atomic).serial == 1 + 8 + 32);
  CHECK(k.total(Kind::global_atomic).sectors == 4 + 1 + 1);
  CHECK(k.total(Kind::global_load).requests + k.total(Kind::global_store).requests == 0);
  CHECK(k.unique_written == 128 + 4);
}

}  // namespace tapetum::test
