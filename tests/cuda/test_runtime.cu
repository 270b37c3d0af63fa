// Streams, events, device memory, and what a crash says.
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <functional>

#include "tests/cuda/harness.h"

namespace tapetum::test {
namespace {

__global__ void store_one(float* p) { p[threadIdx.x] = 1; }
__global__ void give_up() { __trap(); }
__global__ void big_frame(float* p, int n) {
  volatile float a[64 * 1024];
  for (int i = 0; i < n; ++i) a[i] = static_cast<float>(i);
  p[0] = a[n / 2];
}

struct Table {
  float at[8000];
};
__global__ void read_table(const Table GPU_IN_PLACE table, float* y, const void** place) {
  y[threadIdx.x] = table.at[threadIdx.x * 100];
  place[threadIdx.x] = &table;
}

struct Ending {
  int signal;  // 0: none
  std::string text;
};

// Runs f in a child process, on one OS thread since the pool does not survive a fork, and without Catch2's handlers.
Ending ending_of(const std::function<void()>& f) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    emulation::config().threads = 1;
    for (int s : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(s, SIG_DFL);
    f();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFSIGNALED(status) ? WTERMSIG(status) : 0, text};
}

}  // namespace

TEST_CASE("emulation: a crash names the CUDA thread", "[emulated]") {
  if (kSanitized) return;
  const Ending e = ending_of([] { fault_of<store_one>({.grid = 2, .block = 64}, static_cast<float*>(nullptr)); });
  CHECK(e.signal == SIGSEGV);
  CHECK_THAT(e.text, Catch::Contains("in kernel") && Catch::Contains("store_one, block ("));
}

TEST_CASE("emulation: an overflow of a CUDA thread's stack says so", "[emulated]") {
  if (kSanitized) return;
  const Array<float> p(1);
  const Ending e = ending_of([&] { fault_of<big_frame>({.grid = 1, .block = 1}, p.data(), 64 * 1024); });
  CHECK(e.signal == SIGSEGV);
  CHECK_THAT(e.text, Catch::Contains("stack overflow: raise Config::stack_bytes"));
}

TEST_CASE("emulation: a fault can abort where it is found", "[emulated]") {
  if (kSanitized) return;
  const Ending e = ending_of([] {
    emulation::config().abort_on_error = true;
    fault_of<store_one>({.grid = 1, .block = 2048}, static_cast<float*>(nullptr));  // found by the host: no abort
    fault_of<give_up>({.grid = 1, .block = 1});
  });
  CHECK(e.signal == SIGABRT);
  CHECK_THAT(e.text, Catch::Contains("__trap()"));
}

TEST_CASE("emulation: host code that touches device memory faults in guard mode", "[emulated]") {
  if (kSanitized) return;
  const Ending e = ending_of([] {
    emulation::config().guard_device_memory = true;
    float *p, copied = 0;
    cudaMalloc(&p, 100);
    cudaMemset(p, 0, 100);
    fault_of<store_one>({.grid = 1, .block = 25}, p);
    cudaMemcpy(&copied, p, sizeof copied, cudaMemcpyDeviceToHost);
    if (copied == 1) std::fputs("copied", stderr);
    if (*p == 1) std::fputs("read", stderr);
  });
  CHECK(e.signal == SIGSEGV);
  CHECK(e.text == "copied");
}

TEST_CASE("emulation: with lazy streams a result waits for its own stream", "[emulated]") {
  Settings settings;
  settings.config.lazy_streams = true;
  settings.config.guard_device_memory = false;  // the test looks into it
  cudaStream_t mine, other;
  REQUIRE(cudaStreamCreate(&mine) == cudaSuccess);
  REQUIRE(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking) == cudaSuccess);
  const Array<float> p(1);
  REQUIRE(gpu::launch<store_one>({.grid = 1, .block = 1, .stream = mine}, p.data()) == cudaSuccess);
  CHECK(*p.data() == 0);
  cudaStreamSynchronize(other);
  CHECK(*p.data() == 0);

  SECTION("synchronized") { cudaStreamSynchronize(mine); }
  SECTION("through an event") {
    cudaEvent_t done;
    REQUIRE(cudaEventCreate(&done) == cudaSuccess);
    REQUIRE(cudaEventRecord(done, mine) == cudaSuccess);
    CHECK(cudaEventQuery(done) == cudaErrorNotReady);
    REQUIRE(cudaStreamWaitEvent(other, done, 0) == cudaSuccess);
    cudaStreamSynchronize(other);
    CHECK(cudaEventQuery(done) == cudaSuccess);
    cudaEventDestroy(done);
  }
  SECTION("by a copy") { CHECK(p.get()[0] == 1); }
  CHECK(*p.data() == 1);
  cudaStreamDestroy(mine);
  cudaStreamDestroy(other);
}

TEST_CASE("emulation: a large parameter is read in place, and is the launch's own", "[emulated]") {
  Settings settings;
  settings.config.lazy_streams = true;
  Table table{};
  for (int i = 0; i < 8000; ++i) table.at[i] = static_cast<float>(i);
  const Array<float> y(70);
  const Array<const void*> place(70);
  REQUIRE(gpu::launch<read_table>({.grid = 1, .block = 70}, table, y.data(), place.data()) == cudaSuccess);
  table = {};
  CHECK(y.get()[69] == 6900);
  for (const void* p : place.get()) CHECK(p == place.get()[0]);
  CHECK(place.get()[0] != &table);
}

TEST_CASE("emulation: the null stream waits for a blocking stream only, and that for it", "[emulated]") {
  Settings settings;
  settings.config.lazy_streams = true;
  settings.config.guard_device_memory = false;  // the test looks into it
  const bool blocking = GENERATE(true, false);
  cudaStream_t s;
  REQUIRE(cudaStreamCreateWithFlags(&s, blocking ? 0 : cudaStreamNonBlocking) == cudaSuccess);
  const Array<float> p(1), q(1);
  gpu::launch<store_one>({.grid = 1, .block = 1, .stream = s}, p.data());
  gpu::launch<store_one>({.grid = 1, .block = 1}, q.data());
  CHECK(*p.data() == (blocking ? 1 : 0));
  CHECK(*q.data() == 0);
  gpu::launch<store_one>({.grid = 1, .block = 1, .stream = s}, p.data());
  CHECK(*q.data() == (blocking ? 1 : 0));
  cudaStreamDestroy(s);
}

TEST_CASE("emulation: pageable memory is staged, pinned memory is read when the stream comes to it", "[emulated]") {
  Settings settings;
  settings.config.lazy_streams = true;
  cudaStream_t stream;
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  const Array<float> p(2);
  float pageable = 1, *pinned = nullptr;
  REQUIRE(cudaMallocHost(reinterpret_cast<void**>(&pinned), sizeof(float)) == cudaSuccess);
  *pinned = 1;
  cudaMemcpyAsync(p.data(), &pageable, sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaMemcpyAsync(p.data() + 1, pinned, sizeof(float), cudaMemcpyHostToDevice, stream);
  pageable = *pinned = 2;
  cudaStreamSynchronize(stream);
  CHECK(p.get() == std::vector<float>{1, 2});
  cudaFreeHost(pinned);
  cudaStreamDestroy(stream);
}

}  // namespace tapetum::test
