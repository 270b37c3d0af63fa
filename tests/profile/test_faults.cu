// Races, misaligned accesses and those outside of memory: planted ones are found, with their lines and threads, in any order of the threads; ordered
// ones are none.
#include <algorithm>

#include "kernels/cuda/emulation/profile/faults.h"
#include "kernels/cuda/gpu/hopper.cuh"
#include "kernels/cuda/gpu/ptx.cuh"
#include "tests/cuda/harness.h"
#include "tests/profile/counts.h"

namespace tapetum::test {
namespace {

using profile::Faults;

constexpr int kNeighbour = __LINE__;
template <bool Barrier> __global__ void neighbour(float* y) {
  __shared__ float s[64];
  s[threadIdx.x] = 1;
  if (Barrier) __syncthreads();
  y[threadIdx.x] = s[(threadIdx.x + 1) % 64];
}
template <bool Barrier> __global__ void used_again(float* y) {  // the second turn overwrites what the first one reads
  __shared__ float s[64];
  for (int turn = 0; turn < 2; ++turn) {
    s[threadIdx.x] = static_cast<float>(turn);
    __syncthreads();
    y[threadIdx.x] = s[63 - threadIdx.x];
    if (Barrier) __syncthreads();
  }
}
// A lane writes what the next one has read: the order of the lanes hides it from most, and a later __syncwarp must not.
template <bool Between> __global__ void shift(float* y) {
  __shared__ float s[32];
  s[threadIdx.x] = 1;
  __syncwarp();
  const float next = s[(threadIdx.x + 1) % 32];
  if (Between) __syncwarp();
  s[threadIdx.x] = next;
  __syncwarp();
  y[threadIdx.x] = s[threadIdx.x];
}
__global__ void by_shuffle(float* y) {  // which does not order memory
  __shared__ float s[32];
  s[threadIdx.x] = 1;
  const float v = __shfl_xor_sync(0xffffffff, 1.0f, 1);
  y[threadIdx.x] = v + s[threadIdx.x ^ 1];
}
__global__ void halves_alone(float* y) {
  __shared__ float s[32];
  s[threadIdx.x] = 1;
  __syncwarp(threadIdx.x < 16 ? 0xffffu : 0xffff0000u);
  y[threadIdx.x] = s[threadIdx.x ^ 16];
}
__global__ void returned(float* y) {  // whoever has returned meets nobody
  __shared__ float s[64];
  s[threadIdx.x] = 1;
  if (threadIdx.x >= 32) return;
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x + 32];
}
__global__ void one_leaves(float* y, unsigned who) {  // after it has read; the others meet before one of them writes
  __shared__ float s[1];
  if (threadIdx.x == 0) s[0] = 1;
  __syncthreads();
  y[threadIdx.x] = s[0];
  if (threadIdx.x == who) return;
  __syncthreads();
  if (threadIdx.x == 0) s[0] = 2;
}
__global__ void add(float* y, bool atomic) {
  if (atomic)
    atomicAdd(y, 1);
  else
    *y += 1;
}
__global__ void halfwords(__half* y) { y[threadIdx.x] = __half(1.0f); }
__global__ void read_by_all(float* y, const float* x) { y[blockIdx.x * blockDim.x + threadIdx.x] = *x; }
__global__ void overwritten_by_the_last(float* x, float* y) {
  y[blockIdx.x * blockDim.x + threadIdx.x] = *x;
  __syncthreads();
  if (blockIdx.x == 3 && threadIdx.x == 0) *x = 1;
}
template <bool Fence> __global__ void last_block(float* y, unsigned* done) {  // the CUDA programming guide's threadfence example
  y[1 + blockIdx.x] = 1;
  if (Fence) __threadfence();
  if (atomicAdd(done, 1) + 1 < gridDim.x) return;
  if (Fence) __threadfence();
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += y[1 + b];
  y[0] = sum;
}
template <bool Wait> __global__ void named(float* y) {  // the first warp produces, the second consumes
  __shared__ float s[32];
  if (threadIdx.x < 32) {
    s[threadIdx.x] = 1;
    ptx::named_barrier_arrive(1, 64);
  } else {
    ptx::named_barrier_sync(1, 64);
    y[threadIdx.x] = s[63 - threadIdx.x];
    if (!Wait && threadIdx.x == 63) s[0] = 2;
  }
  if (Wait) __syncthreads();
  if (threadIdx.x < 32) y[threadIdx.x] = s[threadIdx.x];
}
__global__ void through_an_mbarrier(float* y, bool wait) {
  auto* s = gpu::dynamic_shared<float>();
  auto* bar = reinterpret_cast<uint64_t*>(s + 32);
  if (threadIdx.x == 0) ptx::mbarrier_init(bar, 32);
  __syncthreads();
  if (threadIdx.x < 32) {
    s[threadIdx.x] = 1;
    ptx::mbarrier_arrive(bar);
  } else {
    if (wait) ptx::mbarrier_wait(bar, 0);
    y[threadIdx.x] = s[63 - threadIdx.x];
  }
}
__global__ void copied(float* y, const float* x, bool barrier) {
  auto* s = gpu::dynamic_shared<float>();
  ptx::cp_async<4>(s + threadIdx.x, x + threadIdx.x);
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  if (barrier) __syncthreads();
  y[threadIdx.x] = s[63 - threadIdx.x];
}

template <auto K, class... A> std::vector<profile::Race> races_of(const gpu::Launch& at, A... arguments) {
  std::vector<profile::Race> races;
  for_schedules([&] {
    races = profile::faults_of([&] { gpu::launch<K>(at, arguments...); }).races;
    CAPTURE(emulation::last_diagnostic());
    CHECK(emulation::last_diagnostic().empty());
  });
  return races;
}

constexpr gpu::Launch kTwoWarps{.grid = 1, .block = 64}, kWarp{.grid = 1, .block = 32};

}  // namespace

TEST_CASE("faults: a race has two lines and two threads", "[profile]") {
  const Array<float> y(64);
  const auto races = races_of<neighbour<false>>(kTwoWarps, y.data());
  REQUIRE(races.size() == 1);
  const profile::Race& race = races[0];
  CHECK(race.kernel.find("neighbour") != std::string::npos);
  const auto [store, load] = race.first.kind == Kind::shared_store ? std::pair(race.first, race.second) : std::pair(race.second, race.first);
  CHECK(store.file == "tests/profile/test_faults.cu");
  CHECK(store.line == kNeighbour + 3);
  CHECK(load.kind == Kind::shared_load);
  CHECK(load.line == kNeighbour + 5);
  CHECK(store.thread.x == (load.thread.x + 1) % 64);
  CHECK_THAT(text(race), Catch::Contains("s[threadIdx.x] = 1;") && Catch::Contains("shared load") && Catch::Contains("block (0,0,0) thread ("));
}

TEST_CASE("faults: barriers order the threads of a block", "[profile]") {
  const Array<float> y(64);
  CHECK(races_of<neighbour<true>>(kTwoWarps, y.data()).empty());
  CHECK(races_of<used_again<true>>(kTwoWarps, y.data()).empty());
  const auto again = races_of<used_again<false>>(kTwoWarps, y.data());
  REQUIRE(again.size() == 1);
  CHECK(again[0].barrier.line == std::max(again[0].first.line, again[0].second.line) - 1);
  const auto alone = races_of<returned>(kTwoWarps, y.data());
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].barrier.line == 0);
  for (unsigned who : {1u, 31u, 32u, 40u, 63u}) {  // of many readers each is remembered
    const auto races = races_of<one_leaves>(kTwoWarps, y.data(), who);
    REQUIRE(races.size() == 1);
    CHECK(races[0].first.thread.x == who);
    CHECK(races[0].times == 1);
  }
  CHECK(races_of<one_leaves>(kTwoWarps, y.data(), 64u).empty());
  CHECK(races_of<named<true>>(kTwoWarps, y.data()).empty());
  CHECK(races_of<named<false>>(kTwoWarps, y.data()).size() == 1);
}

TEST_CASE("faults: __syncwarp orders the lanes of its mask, and a shuffle none", "[profile]") {
  const Array<float> y(64);
  CHECK(races_of<shift<true>>(kWarp, y.data()).empty());
  CHECK(races_of<shift<false>>(kWarp, y.data()).size() == 1);
  CHECK(races_of<by_shuffle>(kWarp, y.data()).size() == 1);
  CHECK(races_of<halves_alone>(kWarp, y.data()).size() == 1);
}

TEST_CASE("faults: atomics do not race with each other; plain additions do, with few words", "[profile]") {
  const Array<float> y(1);
  CHECK(races_of<add>({.grid = 40, .block = 128}, y.data(), true).empty());
  const auto races = races_of<add>({.grid = 40, .block = 128}, y.data(), false);
  CHECK(!races.empty());
  CHECK(races.size() <= 3);
}

TEST_CASE("faults: neighbours within a word do not race", "[profile]") {
  const Array<__half> y(64);
  CHECK(races_of<halfwords>(kTwoWarps, y.data()).empty());
}

TEST_CASE("faults: between blocks nothing but a fence orders", "[profile]") {
  const Array<float> x(1), y(1 + 256);
  const Array<unsigned> done(1);
  CHECK(races_of<read_by_all>({.grid = 4, .block = 64}, y.data(), x.data()).empty());
  const auto races = races_of<overwritten_by_the_last>({.grid = 4, .block = 64}, x.data(), y.data());
  REQUIRE(races.size() == 1);
  CHECK(races[0].first.block.x != races[0].second.block.x);
  const Settings settings;
  const auto once = [&](auto work) {
    cudaMemset(done.data(), 0, sizeof(unsigned));
    return profile::faults_of(work).races.size();
  };
  CHECK(once([&] { gpu::launch<last_block<true>>({.grid = 8, .block = 1}, y.data(), done.data()); }) == 0);
  CHECK(once([&] { gpu::launch<last_block<false>>({.grid = 8, .block = 1}, y.data(), done.data()); }) == 1);
}

TEST_CASE("faults: a launch comes after the one before it", "[profile]") {
  const Array<float> y(64);
  CHECK(profile::faults_of([&] { gpu::launch<read_by_all>(kTwoWarps, y.data(), y.data() + 63); }).races.size() == 1);
  CHECK(profile::faults_of([&] {
          gpu::launch<halfwords>(kTwoWarps, reinterpret_cast<__half*>(y.data()));
          gpu::launch<halfwords>({.grid = 1, .block = 128}, reinterpret_cast<__half*>(y.data()));
        }).races.empty());
}

TEST_CASE("faults: asynchronous copies and mbarriers order as barriers do", "[profile]") {
  const Array<float> x(64), y(64);
  const gpu::Launch at{.grid = 1, .block = 64, .smem = 1024};
  CHECK(races_of<copied>(at, y.data(), x.data(), true).empty());
  CHECK(races_of<copied>(at, y.data(), x.data(), false).size() == 1);
  CHECK(races_of<through_an_mbarrier>(at, y.data(), true).empty());
  CHECK(races_of<through_an_mbarrier>(at, y.data(), false).size() == 1);
}

namespace {

constexpr int kBeyond = __LINE__ + 1;
__global__ void beyond(float* y, int offset) { y[static_cast<int>(threadIdx.x) + offset] = 1; }
__global__ void wide_store(float* y) {
  const float4 v{1, 2, 3, 4};
  *reinterpret_cast<float4*>(y + 4 * threadIdx.x + blockIdx.x) = v;
}
__global__ void wide_load(float* y, const float4* x) {
  const float4 v = x[threadIdx.x];
  y[threadIdx.x] = v.x + v.y + v.z + v.w;
}

}  // namespace

TEST_CASE("faults: an access outside of memory ends its launch and has a line", "[profile]") {
  Settings settings;
  settings.config.guard_device_memory = true;
  const Array<float> x(62), y(64);
  for (int offset : {1, 40, 1000, -1, -300}) {
    CAPTURE(offset);
    emulation::clear_error();
    const Faults faults = profile::faults_of([&] { gpu::launch<beyond>(kTwoWarps, y.data(), offset); });
    CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
    REQUIRE(faults.bad.size() == 1);
    const profile::BadAccess& o = faults.bad[0];
    CHECK(o.access.line == kBeyond);
    CHECK(o.access.kind == Kind::global_store);
    const int byte = 4 * (static_cast<int>(o.access.thread.x) + offset);
    CHECK((byte < 0 || byte >= 256));
    CHECK(o.what == "global store of 4 bytes at byte " + std::to_string(byte) + " of an allocation of 256");
  }
  emulation::clear_error();
  CHECK(profile::faults_of([&] { gpu::launch<beyond>(kTwoWarps, y.data(), 0); }).bad.empty());
  const Faults half_inside =
      profile::faults_of([&] { gpu::launch<wide_load>({.grid = 1, .block = 16}, y.data(), reinterpret_cast<const float4*>(x.data())); });
  REQUIRE(half_inside.bad.size() == 1);
  CHECK_THAT(half_inside.bad[0].what, Catch::Contains("global load of 16 bytes at byte 240 of an allocation of 248"));
}

TEST_CASE("faults: an access of 16 bytes needs an address of 16", "[profile]") {
  const Settings settings;
  const Array<float> y(64);
  CHECK(profile::faults_of([&] { gpu::launch<wide_store>({.grid = 1, .block = 8}, y.data()); }).bad.empty());
  const Faults faults = profile::faults_of([&] { gpu::launch<wide_store>({.grid = 2, .block = 8}, y.data()); });
  REQUIRE(faults.bad.size() == 1);
  CHECK(faults.bad[0].why == profile::BadAccess::misaligned);
  CHECK(faults.bad[0].access.block.x == 1);
  CHECK(faults.bad[0].what == "global store of 16 bytes at an address that is no multiple of 16");
}

}  // namespace tapetum::test
