// Barriers, warp operations, intrinsics and cooperative groups against what their definitions say, for each thread of three warps.
#include <algorithm>

#include "tests/cuda/harness.h"
#include "kernels/cuda/gpu/cooperative_groups.cuh"

namespace tapetum::test {
namespace {

constexpr int kThreads = 96;
constexpr unsigned kAll = 0xffffffffu;

// Launches K(out) and holds row t of out, four numbers, against want(t).
template <auto K, class F> void check(F want) {
  for_schedules([&] {
    const Array<int> out(kThreads * 4);
    REQUIRE(fault_of<K>({.grid = 1, .block = kThreads}, out.data()) == "");
    std::vector<int> expected;
    for (int t = 0; t < kThreads; ++t)
      for (int v : want(t)) expected.push_back(v);
    REQUIRE(out.get() == expected);
  });
}
using Row = std::vector<int>;

__global__ void shuffle_kernel(int* out) {
  const int t = static_cast<int>(threadIdx.x);
  int* o = out + 4 * t;
  o[0] = __shfl_sync(kAll, t, 3, 8);
  o[1] = __shfl_up_sync(kAll, t, 2, 16);
  o[2] = __shfl_down_sync(kAll, t, 5, 8);
  o[3] = __shfl_xor_sync(kAll, t, 9, 16);
}

__global__ void vote_kernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  int* o = out + 4 * threadIdx.x;
  o[0] = static_cast<int>(__ballot_sync(kAll, lane % 3 == 0));
  o[1] = __any_sync(kAll, lane == 31) + 2 * __all_sync(kAll, lane < 31);
  o[2] = static_cast<int>(__match_any_sync(kAll, lane / 5));
  int all_equal = 0;
  o[3] = static_cast<int>(__match_all_sync(kAll, 7, &all_equal)) + all_equal;
}

__global__ void reduce_kernel(int* out) {
  const int t = static_cast<int>(threadIdx.x), lane = t % 32;
  int* o = out + 4 * t;
  o[0] = __reduce_add_sync(kAll, lane) + __reduce_max_sync(kAll, -lane);
  o[1] = __syncthreads_count(t % 7 == 0);
  o[2] = __syncthreads_or(t == 5) + 2 * __syncthreads_and(t < 1000);
  if (lane < 16)  // two halves of a warp, each at a shuffle of its own
    o[3] = static_cast<int>(__shfl_xor_sync(0x0000ffffu, static_cast<double>(t), 1));
  else
    o[3] = static_cast<int>(__shfl_xor_sync(0xffff0000u, static_cast<double>(t), 2));
}

__global__ void bits_kernel(int* out) {
  const int t = static_cast<int>(threadIdx.x);
  int* o = out + 4 * t;
  o[0] = __popc(0xf0f0u) + __clz(1) * 100 + __ffs(8) * 10000;
  o[1] = static_cast<int>(__brev(1u) >> 31) + static_cast<int>(__byte_perm(0x03020100u, 0x07060504u, 0x5140u));
  o[2] = max(t, 5) + min(2u, static_cast<unsigned>(t));
  o[3] = __dp4a(0x01ff0203, 0x01010101, t);
}

namespace cg = cooperative_groups;
__constant__ float scale[4];
__device__ int launches;

__global__ void groups_kernel(const float* x, float* out) {
  const cg::thread_block block = cg::this_thread_block();
  const auto tile = cg::tiled_partition<16>(block);
  const unsigned t = block.thread_rank();
  __shared__ float sums[8];
  const float sum = cg::reduce(tile, x[t], cg::plus<float>());
  if (tile.thread_rank() == 0) sums[tile.meta_group_rank()] = sum * scale[tile.meta_group_rank() % 4];
  block.sync();
  out[t] = sums[t % 8] + tile.shfl(x[t], 3) + static_cast<float>(__popc(tile.ballot(tile.thread_rank() < 5)));
  if (t == 0) out[128] = static_cast<float>(atomicAdd(&launches, 1));
}

}  // namespace

TEST_CASE("emulation: shuffles within segments of a warp", "[emulated]") {
  check<shuffle_kernel>([](int t) {
    const int lane = t % 32;
    return Row{t / 8 * 8 + 3, lane % 16 >= 2 ? t - 2 : t, lane % 8 + 5 < 8 ? t + 5 : t, t - lane + (lane ^ 9)};
  });
}

TEST_CASE("emulation: votes and matches", "[emulated]") {
  check<vote_kernel>([](int t) {
    unsigned thirds = 0, fives = 0;
    for (int i = 0; i < 32; ++i) {
      if (i % 3 == 0) thirds |= 1u << i;
      if (i / 5 == t % 32 / 5) fives |= 1u << i;
    }
    return Row{static_cast<int>(thirds), 1, static_cast<int>(fives), -1 + 1};
  });
}

TEST_CASE("emulation: reductions of warps and blocks, and halves of a warp apart", "[emulated]") {
  check<reduce_kernel>([](int t) {
    const int lane = t % 32;
    return Row{496, (kThreads + 6) / 7, 3, t - lane + (lane ^ (lane < 16 ? 1 : 2))};
  });
}

TEST_CASE("emulation: bit and integer intrinsics", "[emulated]") {
  check<bits_kernel>([](int t) { return Row{8 + 31 * 100 + 4 * 10000, 1 + 0x05010400, std::max(t, 5) + std::min(2, t), t + 1 - 1 + 2 + 3}; });
}

TEST_CASE("emulation: cooperative groups, constants and device variables", "[emulated]") {
  std::vector<float> x(128), expected(129);  // the last: no launch before this one
  for (int i = 0; i < 128; ++i) x[i] = static_cast<float>(i);
  const float factors[4] = {1, 2, 3, 4};
  REQUIRE(cudaMemcpyToSymbol(scale, factors, sizeof factors) == cudaSuccess);
  const Array<float> in(x), out(129);
  REQUIRE(fault_of<groups_kernel>({.grid = 1, .block = 128}, in.data(), out.data()) == "");
  for (int i = 0; i < 128; ++i) {
    const int g = i % 8;
    const float sum = static_cast<float>(16 * 16 * g + 120);  // of x[16 g ... 16 g + 15]
    expected[i] = sum * factors[g % 4] + static_cast<float>(i / 16 * 16 + 3) + 5;
  }
  REQUIRE(out.get() == expected);
}

}  // namespace tapetum::test
