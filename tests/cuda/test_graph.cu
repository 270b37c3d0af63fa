// Captured streams and graphs: what a replay does, and what may not be done while a stream is captured.
#include <thread>

#include "tests/cuda/harness.h"

namespace tapetum::test {
namespace {

__global__ void add(float* p, float value) { p[threadIdx.x] += value; }
__global__ void multiply(float* p, float value) { p[threadIdx.x] *= value; }
__global__ void give_up(const float* p) {
  if (*p > 2) __trap();
}

struct Stream {
  Stream() { REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess); }
  ~Stream() { cudaStreamDestroy(stream); }
  operator cudaStream_t() const { return stream; }
  cudaStream_t stream = nullptr;
};
struct Event {
  Event() { cudaEventCreateWithFlags(&event, cudaEventDisableTiming); }
  ~Event() { cudaEventDestroy(event); }
  operator cudaEvent_t() const { return event; }
  cudaEvent_t event = nullptr;
};

template <auto K> cudaError_t launch_on(cudaStream_t s, float* p, float value) {
  return gpu::launch<K>({.grid = 1, .block = 1, .stream = s}, p, value);
}

// A graph of what f(stream) does.
class Captured {
 public:
  template <class F> explicit Captured(F f) {
    REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    f(stream);
    REQUIRE(cudaStreamEndCapture(stream, &graph_) == cudaSuccess);
    REQUIRE(cudaGraphInstantiate(&exec_, graph_, 0) == cudaSuccess);
  }
  ~Captured() {
    cudaGraphExecDestroy(exec_);
    cudaGraphDestroy(graph_);
  }
  cudaError_t launch() {
    const cudaError_t error = cudaGraphLaunch(exec_, stream);
    return error == cudaSuccess ? cudaStreamSynchronize(stream) : error;
  }
  void replay() { REQUIRE(launch() == cudaSuccess); }
  size_t nodes() const {
    size_t n = 0;
    cudaGraphGetNodes(graph_, nullptr, &n);
    return n;
  }
  Stream stream;

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr;
};

// What a call says while a stream is captured, and what ending the capture says then.
struct Refusal {
  cudaError_t error, at_end;
  std::string text, text_at_end;
};
template <class F> Refusal refusal_of(F f, cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal) {
  const Settings settings;
  Stream s;
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamBeginCapture(s, mode) == cudaSuccess);
  Refusal r{};
  r.error = f(s);
  r.text = emulation::last_diagnostic();
  r.at_end = cudaStreamEndCapture(s, &graph);
  r.text_at_end = emulation::last_diagnostic();
  REQUIRE((graph != nullptr) == (r.at_end == cudaSuccess));
  if (graph) cudaGraphDestroy(graph);
  return r;
}

void check_refused(const Refusal& r, cudaError_t error, const char* text) {
  CHECK(r.error == error);
  CHECK_THAT(r.text, Catch::Contains(text));
  CHECK(r.at_end == cudaErrorStreamCaptureInvalidated);
  CHECK_THAT(r.text_at_end, Catch::Contains("became invalid") && Catch::Contains(text));
}

}  // namespace

TEST_CASE("graphs: work is done at each replay, not at the capture", "[emulated]") {
  const Array<float> x(1, 1.0f), y(1, 7.0f);
  Captured g([&](cudaStream_t s) {
    REQUIRE(launch_on<add>(s, x.data(), 1.0f) == cudaSuccess);
    REQUIRE(cudaMemcpyAsync(y.data(), x.data(), sizeof(float), cudaMemcpyDeviceToDevice, s) == cudaSuccess);
    REQUIRE(cudaMemsetAsync(x.data(), 0, sizeof(float), s) == cudaSuccess);
    REQUIRE(launch_on<add>(s, x.data(), 5.0f) == cudaSuccess);
  });
  CHECK(g.nodes() == 4);
  CHECK(x.get()[0] == 1);
  g.replay();
  CHECK(y.get()[0] == 2);
  g.replay();
  CHECK(y.get()[0] == 6);
  CHECK(x.get()[0] == 5);
}

TEST_CASE("graphs: pinned memory is read at the replay", "[emulated]") {
  float* pinned = nullptr;
  REQUIRE(cudaMallocHost(reinterpret_cast<void**>(&pinned), 2 * sizeof(float)) == cudaSuccess);
  const Array<float> x(1, 0.0f);
  {
    Captured g([&](cudaStream_t s) { REQUIRE(cudaMemcpyAsync(x.data(), pinned + 1, sizeof(float), cudaMemcpyHostToDevice, s) == cudaSuccess); });
    for (float value : {3.0f, 4.0f}) {
      pinned[1] = value;
      g.replay();
      CHECK(x.get()[0] == value);
    }
  }
  cudaFreeHost(pinned);
}

TEST_CASE("graphs: streams join by events, and their order holds in every schedule", "[emulated]") {
  const Array<float> x(1, 0.0f), y(1, 0.0f);
  Stream side;
  Event fork, join;
  Captured g([&](cudaStream_t s) {
    REQUIRE(launch_on<add>(s, x.data(), 1.0f) == cudaSuccess);
    REQUIRE(cudaEventRecord(fork, s) == cudaSuccess);
    REQUIRE(cudaStreamWaitEvent(side, fork, 0) == cudaSuccess);
    REQUIRE(launch_on<add>(side, x.data(), 1.0f) == cudaSuccess);
    REQUIRE(launch_on<add>(s, y.data(), 1.0f) == cudaSuccess);  // beside it
    REQUIRE(cudaEventRecord(join, side) == cudaSuccess);
    REQUIRE(cudaStreamWaitEvent(s, join, 0) == cudaSuccess);
    REQUIRE(launch_on<multiply>(s, x.data(), 3.0f) == cudaSuccess);
  });
  cudaStreamCaptureStatus status;
  cudaStreamIsCapturing(side, &status);
  CHECK(status == cudaStreamCaptureStatusNone);
  for_schedules([&] {
    REQUIRE(cudaMemset(x.data(), 0, sizeof(float)) == cudaSuccess);
    REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
    g.replay();
    CHECK(x.get()[0] == 6);
  });
}

TEST_CASE("graphs: a forgotten event between streams shows in another schedule", "[emulated]") {
  const Array<float> x(1, 1.0f);
  Stream side;
  Event fork, join;
  Captured g([&](cudaStream_t s) {
    cudaEventRecord(fork, s);
    cudaStreamWaitEvent(side, fork, 0);
    launch_on<add>(side, x.data(), 1.0f);
    launch_on<multiply>(s, x.data(), 3.0f);  // meant to be behind it
    cudaEventRecord(join, side);
    cudaStreamWaitEvent(s, join, 0);
  });
  std::vector<float> results;
  for_schedules([&] {
    const float one = 1;
    REQUIRE(cudaMemcpy(x.data(), &one, sizeof one, cudaMemcpyHostToDevice) == cudaSuccess);
    g.replay();
    results.push_back(x.get()[0]);
  });
  CHECK(results[0] == 6);
  CHECK(results[1] == 4);
}

TEST_CASE("graphs: with lazy streams a replay waits for its stream", "[emulated]") {
  Settings settings;
  settings.config.lazy_streams = true;
  settings.config.guard_device_memory = false;  // the test looks into it
  const Array<float> x(1, 0.0f);
  Captured g([&](cudaStream_t s) { launch_on<add>(s, x.data(), 1.0f); });
  Stream other;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  REQUIRE(cudaStreamBeginCapture(other, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  launch_on<add>(other, x.data(), 10.0f);
  REQUIRE(cudaStreamEndCapture(other, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess);
  REQUIRE(cudaGraphLaunch(exec, other) == cudaSuccess);
  cudaGraphExecDestroy(exec);  // the launch still holds what it needs
  cudaGraphDestroy(graph);
  CHECK(*x.data() == 0);
  cudaStreamSynchronize(other);
  CHECK(*x.data() == 10);
  g.replay();
  CHECK(*x.data() == 11);
}

TEST_CASE("graphs: a kernel's fault at a replay is named", "[emulated]") {
  const Settings settings;
  const Array<float> x(1, 1.0f);
  Captured g([&](cudaStream_t s) {
    launch_on<add>(s, x.data(), 1.0f);
    REQUIRE(gpu::launch<give_up>({.grid = 1, .block = 1, .stream = s}, x.data()) == cudaSuccess);
  });
  CHECK(g.launch() == cudaSuccess);
  CHECK(g.launch() == cudaErrorLaunchFailure);
  CHECK_THAT(emulation::last_diagnostic(), Catch::Contains("give_up, block (0,0,0) thread (0,0,0): __trap()"));
}

TEST_CASE("graphs: waiting, and memory that is made or freed, are refused while a stream is captured", "[emulated]") {
  const Array<float> x(1, 0.0f);
  float host = 0;
  check_refused(refusal_of([](cudaStream_t s) { return cudaStreamSynchronize(s); }), cudaErrorStreamCaptureUnsupported,
                "cudaStreamSynchronize on a captured stream");
  check_refused(refusal_of([](cudaStream_t) { return cudaDeviceSynchronize(); }), cudaErrorStreamCaptureUnsupported, "cudaDeviceSynchronize while");
  check_refused(refusal_of([](cudaStream_t) {
                  void* p = nullptr;
                  return cudaMalloc(&p, 4);
                }),
                cudaErrorStreamCaptureUnsupported, "cudaMalloc while");
  check_refused(refusal_of([&](cudaStream_t) { return cudaMemcpy(&host, x.data(), sizeof host, cudaMemcpyDeviceToHost); }),
                cudaErrorStreamCaptureUnsupported, "cudaMemcpy while");
  check_refused(refusal_of([&](cudaStream_t s) { return cudaMemcpyAsync(&host, x.data(), sizeof host, cudaMemcpyDeviceToHost, s); }),
                cudaErrorStreamCaptureUnsupported, "pageable host memory");
  check_refused(refusal_of([&](cudaStream_t s) {
                  Event e;
                  REQUIRE(cudaEventRecord(e, s) == cudaSuccess);
                  return cudaEventSynchronize(e);
                }),
                cudaErrorCapturedEvent, "cudaEventSynchronize on an event of a captured stream");
}

TEST_CASE("graphs: another thread, and a relaxed one, may do what the capturing thread may not", "[emulated]") {
  const auto allocate = [](cudaStream_t) {
    void* p = nullptr;
    const cudaError_t error = cudaMalloc(&p, 4);
    if (p) cudaFree(p);
    return error;
  };
  const auto elsewhere = [&](cudaStream_t s) {
    cudaError_t error;
    std::thread([&] { error = allocate(s); }).join();
    return error;
  };
  const auto relaxed = [&](cudaStream_t s) {
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    cudaThreadExchangeStreamCaptureMode(&mode);
    const cudaError_t error = allocate(s);
    cudaThreadExchangeStreamCaptureMode(&mode);
    return error;
  };
  CHECK(refusal_of(relaxed).at_end == cudaSuccess);
  CHECK(refusal_of(elsewhere).at_end == cudaSuccess);
  check_refused(refusal_of(elsewhere, cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported, "cudaMalloc while");
}

TEST_CASE("graphs: streams and events that do not belong together are refused", "[emulated]") {
  const Settings settings;
  const Array<float> x(1, 0.0f);
  Stream side;
  Event e;
  SECTION("an event from outside") {
    launch_on<add>(side, x.data(), 1.0f);
    cudaEventRecord(e, side);
    check_refused(refusal_of([&](cudaStream_t s) { return cudaStreamWaitEvent(s, e, 0); }), cudaErrorStreamCaptureIsolation,
                  "recorded outside the capture");
  }
  SECTION("an event of a capture that is over") {
    refusal_of([&](cudaStream_t s) { return cudaEventRecord(e, s); });
    CHECK(cudaStreamWaitEvent(side, e, 0) == cudaErrorInvalidValue);
  }
  SECTION("a stream that nobody waits for") {
    const Refusal r = refusal_of([&](cudaStream_t s) {
      cudaEventRecord(e, s);
      cudaStreamWaitEvent(side, e, 0);
      return launch_on<add>(side, x.data(), 1.0f);
    });
    CHECK(r.at_end == cudaErrorStreamCaptureUnjoined);
    CHECK_THAT(r.text_at_end, Catch::Contains("not waited for at its end"));
  }
  SECTION("the null stream, which waits for a blocking one") {
    cudaStream_t blocking;
    cudaGraph_t graph;
    REQUIRE(cudaStreamCreate(&blocking) == cudaSuccess);
    REQUIRE(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    CHECK(launch_on<add>(nullptr, x.data(), 1.0f) == cudaErrorStreamCaptureImplicit);
    CHECK_THAT(emulation::last_diagnostic(), Catch::Contains("work on the null stream"));
    CHECK(cudaStreamEndCapture(blocking, &graph) == cudaErrorStreamCaptureInvalidated);
    cudaStreamDestroy(blocking);
  }
  SECTION("two captures") {
    Stream other;
    cudaGraph_t graph;
    REQUIRE(cudaStreamBeginCapture(other, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    cudaEventRecord(e, other);
    check_refused(refusal_of([&](cudaStream_t s) { return cudaStreamWaitEvent(s, e, 0); }), cudaErrorStreamCaptureMerge, "another capture");
    CHECK(cudaStreamEndCapture(other, &graph) == cudaErrorStreamCaptureInvalidated);
  }
  SECTION("what does not begin or end a capture") {
    cudaGraph_t graph;
    CHECK(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeThreadLocal) == cudaErrorStreamCaptureUnsupported);
    CHECK(cudaStreamEndCapture(side, &graph) == cudaErrorIllegalState);
    CHECK(refusal_of([](cudaStream_t s) { return cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal); }).error == cudaErrorIllegalState);
    const Refusal r = refusal_of([&](cudaStream_t s) {
      cudaError_t error;
      std::thread([&] { error = cudaStreamEndCapture(s, &graph); }).join();
      return error;
    });
    CHECK(r.error == cudaErrorStreamCaptureWrongThread);
    CHECK(r.at_end == cudaSuccess);
  }
}

}  // namespace tapetum::test
