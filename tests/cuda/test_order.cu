// The order of threads: what must make progress, what a forgotten barrier or wait shows, and what starts as NaN.
#include <algorithm>
#include <cmath>

#include "tests/cuda/harness.h"
#include "kernels/cuda/gpu/ptx.cuh"

namespace tapetum::test {
namespace {

__global__ void early_exit(float* p) {  // legal since Volta: threads that returned do not count
  if (threadIdx.x >= 40) return;
  __syncthreads();
  p[threadIdx.x] = 1;
}

__global__ void spin_lock(int* lock, int* counter) {  // every thread of a warp must get its turn
  for (bool done = false; !done;)
    if (atomicCAS(lock, 0, 1) == 0) {
      __threadfence();
      ++*counter;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
}

// Block i waits for block i - 1, in the order of a ticket: decoupled look-back.
__global__ void look_back(unsigned* ticket, volatile unsigned* sums, unsigned* out) {
  __shared__ unsigned me, carry;
  if (threadIdx.x == 0) {
    me = atomicAdd(ticket, 1u);
    carry = 0;
    while (me && (carry = sums[me - 1]) == 0) __nanosleep(1);
    __threadfence();
    sums[me] = carry + 1;
  }
  __syncthreads();
  out[me * blockDim.x + threadIdx.x] = carry;
}

// Warp 0 produces, warp 1 consumes.
__global__ void named_barriers(int* out) {
  __shared__ int box[32];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int i = 0; i < 3; ++i)
    if (threadIdx.x < 32) {
      if (i) ptx::named_barrier_sync(2, 64);
      box[lane] = i * 100 + lane;
      ptx::named_barrier_arrive(1, 64);
    } else {
      ptx::named_barrier_sync(1, 64);
      out[i * 32 + lane] = box[31 - lane];
      if (i < 2) ptx::named_barrier_arrive(2, 64);
    }
}

template <bool Barrier> __global__ void reverse(const float* in, float* out) {
  __shared__ float s[256];
  s[threadIdx.x] = in[threadIdx.x];
  if (Barrier) __syncthreads();
  out[threadIdx.x] = s[255 - threadIdx.x];
}

__global__ void forgotten_element(float* out) {
  __shared__ float s[64];
  if (threadIdx.x < 63) s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];
}

template <bool Wait> __global__ void swap_pairs(const float* in, float* out) {
  auto* s = gpu::dynamic_shared<float>();
  ptx::cp_async<4>(&s[threadIdx.x], &in[threadIdx.x]);
  ptx::cp_async_commit();
  if (Wait) ptx::cp_async_wait<0>();
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x ^ 1];
}

__global__ void who_is_active(unsigned* out) { out[threadIdx.x] = __activemask(); }

std::vector<float> count_up(int n) {
  std::vector<float> values(n);
  for (int i = 0; i < n; ++i) values[i] = static_cast<float>(i);
  return values;
}

}  // namespace

TEST_CASE("emulation: threads may return before a barrier", "[emulated]") {
  for_schedules([] {
    const Array<float> p(64);
    REQUIRE(fault_of<early_exit>({.grid = 1, .block = 64}, p.data()) == "");
    const auto got = p.get();
    REQUIRE(std::count(got.begin(), got.end(), 1.0f) == 40);
  });
}

TEST_CASE("emulation: a spin lock within a block makes progress", "[emulated]") {
  for_schedules([] {
    const Array<int> lock(1), counter(1);
    REQUIRE(fault_of<spin_lock>({.grid = 1, .block = 300}, lock.data(), counter.data()) == "");
    REQUIRE(counter.get()[0] == 300);
  });
}

TEST_CASE("emulation: blocks that wait for each other make progress", "[emulated]") {
  Settings settings;
  for (unsigned threads : {1, 2}) {
    settings.config.threads = threads;
    for_schedules([] {
      const Array<unsigned> ticket(1), sums(20), out(20 * 32);
      REQUIRE(fault_of<look_back>({.grid = 20, .block = 32}, ticket.data(), sums.data(), out.data()) == "");
      const auto got = out.get();
      for (unsigned i = 0; i < 20 * 32; ++i) REQUIRE(got[i] == i / 32);
    });
  }
}

TEST_CASE("emulation: named barriers between a producer and a consumer", "[emulated]") {
  for_schedules([] {
    const Array<int> out(96);
    REQUIRE(fault_of<named_barriers>({.grid = 1, .block = 64}, out.data()) == "");
    const auto got = out.get();
    for (int i = 0; i < 96; ++i) REQUIRE(got[i] == i / 32 * 100 + 31 - i % 32);
  });
}

TEST_CASE("emulation: a missing barrier gives wrong values in every schedule", "[emulated]") {
  if (kSanitized) return;
  const auto values = count_up(256);
  const Array<float> in(values);
  for_schedules([&] {
    const Array<float> right(256), wrong(256);
    REQUIRE(fault_of<reverse<true>>({.grid = 1, .block = 256}, in.data(), right.data()) == "");
    REQUIRE(fault_of<reverse<false>>({.grid = 1, .block = 256}, in.data(), wrong.data()) == "");
    REQUIRE(right.get() == std::vector<float>(values.rbegin(), values.rend()));
    REQUIRE(wrong.get() != right.get());
  });
}

TEST_CASE("emulation: shared and device memory start as NaN", "[emulated]") {
  const Array<float> out(64);
  REQUIRE(fault_of<forgotten_element>({.grid = 3, .block = 64}, out.data()) == "");
  CHECK(out.get()[62] == 1);
  CHECK((kSanitized || std::isnan(out.get()[63])));

  float *fresh = nullptr, value = 0;
  REQUIRE(cudaMalloc(&fresh, sizeof value) == cudaSuccess);
  REQUIRE(cudaMemcpy(&value, fresh, sizeof value, cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(std::isnan(value));
  cudaFree(fresh);
}

TEST_CASE("emulation: cp.async without a wait reads NaN", "[emulated]") {
  Settings settings;
  settings.config.lazy_async = true;
  const Array<float> in(count_up(256)), out(256);
  const gpu::Launch at{.grid = 1, .block = 256, .smem = 1024};
  REQUIRE(fault_of<swap_pairs<true>>(at, in.data(), out.data()) == "");
  CHECK(out.get()[5] == 4);
  REQUIRE(fault_of<swap_pairs<false>>(at, in.data(), out.data()) == "");
  CHECK(std::isnan(out.get()[5]));
}

TEST_CASE("emulation: __activemask promises the calling lane alone", "[emulated]") {
  const Array<unsigned> out(64);
  REQUIRE(fault_of<who_is_active>({.grid = 1, .block = 64}, out.data()) == "");
  const auto got = out.get();
  for (unsigned t = 0; t < 64; ++t) REQUIRE(got[t] == 1u << t % 32);
}

}  // namespace tapetum::test
