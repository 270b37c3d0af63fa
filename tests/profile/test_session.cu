// From start to stop: what is counted, what it is counted under, and what the table says.
#include <stdexcept>

#include "tests/cuda/harness.h"
#include "tests/profile/counts.h"

namespace tapetum::test {
namespace {

__global__ void fill(float* y, int n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < static_cast<unsigned>(n)) y[i] = 1;
}
__global__ void read_all(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x] + x[threadIdx.x + blockDim.x]; }
__global__ void wrong(float* y) {
  y[threadIdx.x] = 0;
  if (threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
}
constexpr int kConflict = __LINE__ + 4;
__global__ void column(const float* x, float* y) {
  __shared__ float tile[32][32];
  for (int i = 0; i < 32; ++i) tile[i][threadIdx.x] = x[32 * i + threadIdx.x];
  y[8 * threadIdx.x] = tile[threadIdx.x][0];
}

void launch_fill(const Array<float>& y, unsigned blocks) {
  gpu::launch<fill>({.grid = blocks, .block = 64}, y.data(), 100);
  cudaDeviceSynchronize();  // a launch is counted when it runs
}

}  // namespace

TEST_CASE("profile: alike launches add up, from start to stop", "[profile]") {
  const Array<float> y(128);
  profile::clear();
  launch_fill(y, 2);
  CHECK(profile::report().empty());
  profile::start();
  launch_fill(y, 2);
  launch_fill(y, 2);
  launch_fill(y, 1);
  profile::stop();
  launch_fill(y, 2);
  const auto kernels = profile::report();
  profile::clear();
  REQUIRE(kernels.size() == 2);  // by shape, in the order of the first launches
  CHECK(kernels[0].launches == 2);
  CHECK(kernels[0].unique_written == 2 * 4 * 100);
  CHECK(global(kernels[0], Kind::global_store) == Global{2 * 4, 2 * 100, 2 * 400, 2 * 13, 2 * 13});
  CHECK(kernels[1].launches == 1);
  CHECK(kernels[1].unique_written == 4 * 64);
  CHECK(profile::report().empty());
}

TEST_CASE("profile: each request of one block", "[profile]") {
  const Array<float> x(1024), y(256);
  const auto requests = profile::requests_of([&] {
    launch_fill(y, 3);  // the block in the middle writes 64 to 99
    gpu::launch<column>({.grid = 1, .block = 32}, x.data(), y.data());
  });
  REQUIRE(requests.size() == 2 + 32 * 2 + 2);
  const auto& second_warp = requests[1];
  CHECK(second_warp.kind == Kind::global_store);
  CHECK(second_warp.launch == 0);
  CHECK(second_warp.warp == 1);
  CHECK(second_warp.lanes == 0xf);
  CHECK(second_warp.size == 4);
  CHECK(second_warp.address[3] == reinterpret_cast<uintptr_t>(y.data() + 99));
  const auto &row = requests[3], &column = requests[2 + 64];
  CHECK(row.kind == Kind::shared_store);
  CHECK(row.launch == 1);
  CHECK(profile::wavefronts_of(row).size() == 1);
  CHECK(column.kind == Kind::shared_load);
  CHECK(column.line == kConflict);
  const auto wavefronts = profile::wavefronts_of(column);
  REQUIRE(wavefronts.size() == 32);  // as it is counted
  const unsigned bank = column.address[0] / 4 % 32;
  for (int lane = 0; lane < 32; ++lane) CHECK(wavefronts[static_cast<size_t>(lane)][bank] == lane);
  CHECK(profile::report().empty());
}

TEST_CASE("profile: one piece of work is counted by itself", "[profile]") {
  const Array<float> x(128), y(128);
  profile::clear();
  profile::start();
  launch_fill(y, 2);
  const auto inner = kernel_of([&] { gpu::launch<read_all>({.grid = 1, .block = 64}, x.data(), y.data()); });
  CHECK(inner.unique_read == 4 * 128);
  CHECK_THROWS_AS(profile::kernels_of([] { throw std::runtime_error("work"); }), std::runtime_error);
  launch_fill(y, 2);
  profile::stop();
  const auto outer = profile::report();
  profile::clear();
  REQUIRE(outer.size() == 1);
  CHECK(outer[0].launches == 2);

  bool second = false;
  const auto some = profile::kernels_of(
      [&] {
        launch_fill(y, 1);
        second = true;
        launch_fill(y, 2);
      },
      [&] { return second; });
  REQUIRE(some.size() == 1);
  CHECK(some[0].grid.x == 2);
}

TEST_CASE("profile: a kernel that fails does not disturb the next one", "[profile]") {
  const Array<float> y(128);
  profile::kernels_of([&] { CHECK(fault_of<wrong>({.grid = 1, .block = 64}, y.data()).find("divergent __syncthreads") != std::string::npos); });
  const auto k = kernel_of([&] { launch_fill(y, 2); });
  CHECK(global(k, Kind::global_store) == Global{4, 100, 400, 13, 13});
}

TEST_CASE("profile: the table shows sources and remarks", "[profile]") {
  const Array<float> x(1024), y(256);
  const auto k = kernel_of([&] { gpu::launch<column>({.grid = 1, .block = 32}, x.data(), y.data()); });
  const std::string text = profile::text({k});
  INFO(text);
  for (const char* part : {"grid 1x1x1, block 32x1x1, 1 launch\n", "tests/profile/test_session.cu", "32-way bank conflict: 31 wavefronts too many",
                           "12% of the bytes of its sectors are used", "tile[i][threadIdx.x] = x[32 * i + threadIdx.x];", "32.0 (1.0)",
                           "loads: 0.004 MB in sectors, 0.004 MB of different bytes (1.00 times)", "divergence: 32.0 of 32 lanes are active"})
    CHECK(text.find(part) != text.npos);
  const auto line = std::find_if(k.lines.begin(), k.lines.end(), [](const profile::Line& l) { return l.kind == Kind::shared_load; });
  REQUIRE(line != k.lines.end());
  CHECK(line->line == kConflict);
  CHECK(source_of(*line) == "y[8 * threadIdx.x] = tile[threadIdx.x][0];");
  const std::string json = profile::json({k});
  CHECK(json.find("\"kind\":\"shared load\",\"size\":4,\"requests\":1,\"lanes\":32,\"bytes\":128") != json.npos);
}

// For check_command.py, which runs it with TAPETUM_EMULATION_PROFILE.
TEST_CASE("profile: a launch", "[.launch]") { launch_fill(Array<float>(128), 2); }

}  // namespace tapetum::test
