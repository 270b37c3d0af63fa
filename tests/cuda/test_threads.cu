// Kernels launched from several host threads at once, each on a stream of its own.
#include <algorithm>
#include <numeric>
#include <thread>

#include "tests/cuda/harness.h"

namespace tapetum::test {
namespace {

constexpr int kThreads = 64, kBlocks = 5, kRounds = 20, kHosts = 4;

// Each block adds to every value of its part the sum of the part.
__global__ void add_sum_kernel(int* x) {
  __shared__ int part[kThreads];
  int* mine = x + blockIdx.x * kThreads;
  part[threadIdx.x] = mine[threadIdx.x];
  __syncthreads();
  int sum = 0;
  for (int i = 0; i < kThreads; ++i) sum += part[i];
  mine[threadIdx.x] += sum % 97;
}

std::vector<int> expected(std::vector<int> x) {
  for (int round = 0; round < kRounds; ++round)
    for (auto part = x.begin(); part != x.end(); part += kThreads) {
      const int sum = std::accumulate(part, part + kThreads, 0);
      std::for_each(part, part + kThreads, [=](int& v) { v += sum % 97; });
    }
  return x;
}

// No assertion here: the framework's are for one thread.
std::vector<int> on_own_stream(std::vector<int> x) {
  const size_t bytes = x.size() * sizeof(int);
  cudaStream_t stream = nullptr;
  int* data = nullptr;
  bool ok = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess && cudaMalloc(&data, bytes) == cudaSuccess &&
            cudaMemcpyAsync(data, x.data(), bytes, cudaMemcpyHostToDevice, stream) == cudaSuccess;
  for (int round = 0; round < kRounds && ok; ++round)
    ok = gpu::launch<add_sum_kernel>({.grid = kBlocks, .block = kThreads, .stream = stream}, data) == cudaSuccess;
  ok = ok && cudaMemcpyAsync(x.data(), data, bytes, cudaMemcpyDeviceToHost, stream) == cudaSuccess && cudaStreamSynchronize(stream) == cudaSuccess;
  cudaFree(data);
  cudaStreamDestroy(stream);
  return ok ? x : std::vector<int>();
}

}  // namespace

TEST_CASE("emulation: host threads launch on streams of their own", "[emulated]") {
  for_schedules([] {
    std::vector<std::vector<int>> inputs(kHosts), results(kHosts);
    for (int h = 0; h < kHosts; ++h)
      for (int i = 0; i < kBlocks * kThreads; ++i) inputs[h].push_back(h * 1000 + i);
    std::vector<std::thread> hosts;
    for (int h = 0; h < kHosts; ++h) hosts.emplace_back([&, h] { results[h] = on_own_stream(inputs[h]); });
    for (auto& host : hosts) host.join();
    for (int h = 0; h < kHosts; ++h) REQUIRE(results[h] == expected(inputs[h]));
  });
}

}  // namespace tapetum::test
