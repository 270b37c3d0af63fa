// Where the lanes of a warp part and join, as on a machine that joins them at the end of each if and loop; and in any order of threads.
#include "tests/cuda/harness.h"
#include "tests/profile/counts.h"

namespace tapetum::test {
namespace {

__global__ void odd_lanes(const float* x, float* y) {
  if (threadIdx.x & 1) y[threadIdx.x] = x[threadIdx.x];
}
__global__ void if_else(const float* x, float* y) {
  const int l = threadIdx.x;
  float v;
  if (l % 4 == 0)
    v = x[l] * 3;
  else
    v = x[l + 32] + 1;
  y[l] = v;  // together again
}
__global__ void one_lane_a_turn(const float* x, float* y) {
  float s = 0;
  for (int i = 0; i < 32; ++i)
    if (i == static_cast<int>(threadIdx.x)) s += x[i];
  y[threadIdx.x] = s;
}
__global__ void nested(const float* x, float* y) {  // 1 to 4 inner turns, by lane and outer turn
  float s = 0;
  for (int o = 0; o < 4; ++o) {
    for (int i = 0; i <= (static_cast<int>(threadIdx.x) + o) % 4; ++i) s += x[i * 32 + threadIdx.x % 32];
    s += x[1000 + o];
  }
  y[blockIdx.x * blockDim.x + threadIdx.x] = s;
}
__global__ void leave_early(const float* x, float* y) {
  if (threadIdx.x >= 20) return;
  y[threadIdx.x] = x[threadIdx.x];
}
__global__ void break_and_continue(const float* x, float* y) {
  float s = 0;
  for (int i = 0; i < 8; ++i) {
    if ((static_cast<int>(threadIdx.x) + i) % 2) continue;
    if (i > static_cast<int>(threadIdx.x)) break;
    s += x[i];
  }
  y[threadIdx.x] = s;
}
__attribute__((noinline)) __device__ float called(const float* x, int i) { return x[i] * x[i + 64]; }
__global__ void call_of_some(const float* x, float* y) {
  float s = 1;
  if (threadIdx.x < 8) s = called(x, threadIdx.x);
  y[threadIdx.x] = s;
}
__attribute__((noinline, section(".text.zz"))) __device__ float called_behind(const float* x, int i) { return x[i] * x[i + 64]; }
__global__ void call_of_some_behind(const float* x, float* y) {  // the function lies behind its caller in the program
  float s = 1;
  if (threadIdx.x < 8) s = called_behind(x, threadIdx.x);
  y[threadIdx.x] = s;
}
__global__ void long_loop(const float* x, float* y, int n) {  // more than the trace of a thread holds
  float s = 0;
  for (int i = 0; i < n; ++i)
    if ((i + threadIdx.x) % 3 == 0) s += x[i % 1000];
  y[blockIdx.x * blockDim.x + threadIdx.x] = s;
}
__global__ void sums(const float* x, float* y) {
  __shared__ float of_warp[32];
  float v = x[blockIdx.x * blockDim.x + threadIdx.x];
  for (int bits = 16; bits; bits /= 2) v += __shfl_xor_sync(~0u, v, bits);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  v = threadIdx.x < blockDim.x / 32 ? of_warp[threadIdx.x] : 0;
  for (int bits = 16; bits; bits /= 2) v += __shfl_xor_sync(~0u, v, bits);
  if (threadIdx.x == 0) atomicAdd(y, v);
}

template <auto K, class... A> profile::Kernel one_warp(A... arguments) {
  return kernel_of([&] { gpu::launch<K>({.grid = 1, .block = 32}, arguments...); });
}

}  // namespace

TEST_CASE("profile: lanes part and join", "[profile]") {
  const Array<float> x(2048), y(256);
  const auto odd = one_warp<odd_lanes>(x.data(), y.data());
  CHECK(global(odd, Kind::global_load) == Global{1, 16, 64, 4, 2});
  const auto both = one_warp<if_else>(x.data(), y.data());
  CHECK(global(both, Kind::global_load) == Global{2, 32, 128, 4 + 4, 1 + 3});
  CHECK(global(both, Kind::global_store) == Global{1, 32, 128, 4, 4});
  const auto turns = one_warp<one_lane_a_turn>(x.data(), y.data());
  CHECK(global(turns, Kind::global_load) == Global{32, 32, 128, 32, 32});
  CHECK(global(turns, Kind::global_store) == Global{1, 32, 128, 4, 4});
  const auto loops = one_warp<nested>(x.data(), y.data());
  CHECK(loops.total(Kind::global_load).requests == 4 * 4 + 4);  // 4 turns of at most 4, then the outer load
  CHECK(loops.total(Kind::global_load).lanes == 4 * (32 + 24 + 16 + 8) + 4 * 32);
  CHECK(loops.total(Kind::global_store).requests == 1);
  const auto early = one_warp<leave_early>(x.data(), y.data());
  CHECK(global(early, Kind::global_store) == Global{1, 20, 80, 3, 3});
  const auto jumps = one_warp<break_and_continue>(x.data(), y.data());
  CHECK(jumps.total(Kind::global_load).requests == 8);  // even lanes in even turns, odd ones in odd turns
  CHECK(jumps.total(Kind::global_store).requests == 1);
  for (const auto& k : {one_warp<call_of_some>(x.data(), y.data()), one_warp<call_of_some_behind>(x.data(), y.data())}) {
    CHECK(k.total(Kind::global_load).requests == 2);
    CHECK(k.total(Kind::global_load).lanes == 16);
    CHECK(k.total(Kind::global_store).requests == 1);
  }
}

TEST_CASE("profile: loops longer than a trace", "[profile]") {
  const Array<float> x(1000), y(128);
  const auto k = kernel_of([&] { gpu::launch<long_loop>({.grid = 2, .block = 64}, x.data(), y.data(), 90000); });
  CHECK(k.total(Kind::global_load).requests == 4 * 90000);
  CHECK(k.total(Kind::global_load).lanes == 4 * 32 * 30000);
  CHECK(k.total(Kind::global_store).requests == 4);
}

TEST_CASE("profile: the same counts in any order of threads", "[profile]") {
  const Array<float> x(4096), y(512);
  std::string first;
  for_schedules([&] {
    const auto kernels = profile::kernels_of([&] {
      gpu::launch<nested>({.grid = 3, .block = 96}, x.data(), y.data());
      gpu::launch<long_loop>({.grid = 2, .block = 64}, x.data(), y.data(), 20000);
      gpu::launch<sums>({.grid = 4, .block = 256}, x.data(), y.data());
    });
    REQUIRE(kernels.size() == 3);
    const std::string counts = profile::json(kernels);
    if (first.empty()) first = counts;
    CHECK(counts == first);
  });
}

}  // namespace tapetum::test
