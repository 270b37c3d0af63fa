// Every planted fault is found, and the message says what and where.
#include "tests/cuda/harness.h"
#include "kernels/cuda/gpu/ptx.cuh"

namespace tapetum::test {
namespace {

constexpr unsigned kAll = 0xffffffffu;

constexpr int kBranches = __LINE__;
__global__ void divergent_barrier() {
  if (threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
}
__global__ void barrier_and_shuffle(float* p) {
  if (threadIdx.x < 48)
    p[threadIdx.x] = __shfl_sync(kAll, 1.0f, 0);
  else
    __syncthreads();
}
__global__ void inactive_source(float* p) {
  if (threadIdx.x < 16) p[threadIdx.x] = __shfl_down_sync(0x0000ffffu, 1.0f, 8);
}
__global__ void partial_warp(float* p) { p[threadIdx.x] = __shfl_xor_sync(kAll, 1.0f, 16); }
__global__ void not_in_mask(float* p) { p[threadIdx.x] = __shfl_sync(0x0000ffffu, 1.0f, 0); }
__global__ void different_masks(float* p) { p[threadIdx.x] = __shfl_sync(threadIdx.x < 16 ? kAll : 0xfffffff0u, 1.0f, 20); }
__global__ void different_operations(unsigned* p) {
  if (threadIdx.x < 16)
    p[threadIdx.x] = __ballot_sync(kAll, 1);
  else
    p[threadIdx.x] = __match_any_sync(kAll, 1);
}
__global__ void mma_in_half_a_warp(float* p) {
  float d[4] = {};
  const uint32_t a[4] = {}, b[2] = {};
  if (threadIdx.x >= 16) return;
  ptx::mma_m16n8k16_bf16(d, a, b);
  p[threadIdx.x] = d[0];
}
__global__ void misaligned_row(unsigned* p) {
  const auto* s = gpu::dynamic_shared<__half>();
  uint32_t r[4];
  ptx::ldmatrix_x4(r, s + threadIdx.x % 16 * 12);
  p[threadIdx.x] = r[0];
}
__global__ void misaligned_copy(const float* p) { ptx::cp_async<16>(gpu::dynamic_shared<float>() + 1, p); }
__global__ void write_behind(int n) { gpu::dynamic_shared<float>()[n + threadIdx.x] = 1; }
__global__ void spin(int* flag) {
  while (atomicAdd(flag, 0) == 0) __nanosleep(10);
}
__global__ void give_up() {
  if (threadIdx.x == 3) __trap();
}
__global__ void odd_barrier() { ptx::named_barrier_sync(16, 32); }
__global__ void store_one(float* p) { p[threadIdx.x] = 1; }

// Launches K with one array and expects a message with all the parts.
template <auto K, class T = float> void expect(const gpu::Launch& at, std::vector<std::string> parts) {
  const Array<T> p(64);
  const std::string text = fault_of<K>(at, p.data());
  for (const std::string& part : parts) CHECK_THAT(text, Catch::Contains(part));
}

}  // namespace

TEST_CASE("emulation fault: __syncthreads in divergent branches", "[emulated]") {
  const auto place = [](int line) { return "test_faults.cu:" + std::to_string(line); };
  const std::string text = fault_of<divergent_barrier>({.grid = 2, .block = 64});
  for (const std::string& part : {std::string("divergent_barrier, block ("), std::string("divergent __syncthreads: this thread is at"),
                                  place(kBranches + 3), place(kBranches + 5)})
    CHECK_THAT(text, Catch::Contains(part));
}

TEST_CASE("emulation fault: a barrier and a shuffle wait for each other", "[emulated]") {
  Settings settings;
  settings.config.schedule = emulation::Schedule::forward;
  expect<barrier_and_shuffle>({.grid = 1, .block = 64}, {"deadlock", "16 thread(s) wait at warp shuffle mask 0xffffffff", "thread(s) 32-47",
                                                         "16 thread(s) wait at __syncthreads", "32 thread(s) have returned"});
}

TEST_CASE("emulation fault: a shuffle from a lane that does not take part", "[emulated]") {
  expect<inactive_source>({.grid = 1, .block = 32}, {"reads lane 16, which does not take part"});
  expect<partial_warp>({.grid = 1, .block = 48}, {"reads lane", "which does not take part"});
}

TEST_CASE("emulation fault: masks", "[emulated]") {
  expect<not_in_mask>({.grid = 1, .block = 32}, {"the calling lane", "is not in its mask"});
  expect<different_masks>({.grid = 1, .block = 32}, {"while lanes it names wait at warp shuffle", "with another mask"});
}

TEST_CASE("emulation fault: lanes at different operations", "[emulated]") {
  expect<different_operations, unsigned>({.grid = 1, .block = 32}, {"warp vote", "warp match"});
}

TEST_CASE("emulation fault: mma without the whole warp", "[emulated]") {
  expect<mma_in_half_a_warp>({.grid = 1, .block = 32}, {"mma", "needs all 32 lanes of the warp"});
}

TEST_CASE("emulation fault: misaligned operands", "[emulated]") {
  expect<misaligned_row, unsigned>({.grid = 1, .block = 32, .smem = 1024}, {"ldmatrix", "row address not 16-byte aligned"});
  expect<misaligned_copy>({.grid = 1, .block = 32, .smem = 1024}, {"cp.async", "address not aligned to 16 bytes"});
}

TEST_CASE("emulation fault: dynamic shared memory", "[emulated]") {
  CHECK_THAT(fault_of<write_behind>({.grid = 1, .block = 32}, 0), Catch::Contains("launched with none"));
  if (kSanitized) return;
  CHECK_THAT(fault_of<write_behind>({.grid = 1, .block = 32, .smem = 1000}, 240),
             Catch::Contains("write past the end of dynamic shared memory (1000 bytes)"));
}

TEST_CASE("emulation fault: a loop that nobody ends", "[emulated]") {
  Settings settings;
  settings.config.watchdog_seconds = 0.2;
  expect<spin, int>({.grid = 1, .block = 64}, {"livelock", "64 thread(s) wait at spin loop"});
}

TEST_CASE("emulation fault: __trap and an impossible barrier", "[emulated]") {
  CHECK_THAT(fault_of<give_up>({.grid = 1, .block = 32}), Catch::Contains("thread (3,0,0): __trap()"));
  CHECK_THAT(fault_of<odd_barrier>({.grid = 1, .block = 32}), Catch::Contains("named barrier 16 with 32 threads is invalid"));
}

TEST_CASE("emulation fault: a launch that no device accepts", "[emulated]") {
  expect<store_one>({.grid = 1, .block = 2048}, {"store_one", "invalid launch configuration"});
  expect<store_one>({.grid = dim3(1, 65536), .block = 32}, {"invalid launch configuration"});
}

TEST_CASE("emulation fault: errors stay until they are cleared", "[emulated]") {
  Settings settings;
  settings.config.lazy_streams = false;
  const Array<float> p(64);
  REQUIRE(gpu::launch<give_up>({.grid = 1, .block = 32}) == cudaErrorLaunchFailure);
  CHECK(gpu::launch<store_one>({.grid = 1, .block = 32}, p.data()) == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
  emulation::clear_error();
  CHECK(p.get() == std::vector<float>(64));
  CHECK(gpu::launch<store_one>({.grid = 1, .block = 32}, p.data()) == cudaSuccess);
}

}  // namespace tapetum::test
