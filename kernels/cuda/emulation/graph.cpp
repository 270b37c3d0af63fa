// Captured streams and the graphs that come of them.
#include <algorithm>
#include <numeric>
#include "kernels/cuda/emulation/capture.h"
#include "kernels/cuda/emulation/config.h"

struct CUgraphExec_st {
  std::shared_ptr<const CUgraph_st> graph;  // a launch that has not run yet holds it too
};

namespace tapetum::emulation {
namespace {

std::vector<Capture*>& captures() {  // that are under way
  static auto& all = *new std::vector<Capture*>;
  return all;
}
thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

// Sorted, without repetitions.
void merge(std::vector<size_t>& nodes, const std::vector<size_t>& others) {
  nodes.insert(nodes.end(), others.begin(), others.end());
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

// Which nodes come before `last` or are of them.
std::vector<bool> up_to(const CUgraph_st& graph, const std::vector<size_t>& last) {
  std::vector<bool> reached(graph.nodes.size());
  for (size_t i : last) reached[i] = true;
  for (size_t i = reached.size(); i-- > 0;)
    if (reached[i])
      for (size_t before : graph.nodes[i].after) reached[before] = true;
  return reached;
}

// Work that nothing of the origin waits for would still run when the graph is said to be done.
bool is_joined(const Capture& capture) {
  const std::vector<bool> reached = up_to(capture.graph, capture.origin->last);
  return std::all_of(capture.streams.begin(), capture.streams.end(),
                     [&](cudaStream_t s) { return std::all_of(s->last.begin(), s->last.end(), [&](size_t node) { return reached[node]; }); });
}

// Takes one of the nodes that may run now, as Config::schedule has it: an order that no event asks for is no promise.
size_t pick(std::vector<size_t>& ready, uint64_t& random) {
  size_t at = 0;
  if (config().schedule == Schedule::reverse) at = ready.size() - 1;
  if (config().schedule == Schedule::random) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;  // xorshift64 (Marsaglia 2003)
    at = random % ready.size();
  }
  const size_t node = ready[at];
  ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(at));
  return node;
}

void run(const CUgraph_st& graph) {
  std::vector<size_t> waiting(graph.nodes.size()), ready;
  for (size_t i = 0; i < waiting.size(); ++i) {
    waiting[i] = graph.nodes[i].after.size();
    if (waiting[i] == 0) ready.push_back(i);
  }
  uint64_t random = config().seed + 1;
  while (!ready.empty()) {
    const size_t done = pick(ready, random);
    graph.nodes[done].work();
    for (size_t i = done + 1; i < waiting.size(); ++i) {
      const auto& after = graph.nodes[i].after;
      if (std::find(after.begin(), after.end(), done) != after.end() && --waiting[i] == 0) ready.push_back(i);
    }
  }
}

cudaError_t refuse(cudaError_t error, std::string text) {
  set_diagnostic(std::move(text));
  return set_error(error);
}

}  // namespace

cudaError_t spoil(Capture& capture, cudaError_t error, std::string fault) {
  if (capture.fault.empty()) capture.fault = fault;
  return refuse(error, std::move(fault));
}

cudaError_t check_unsafe_call(const char* call) {
  if (thread_mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  cudaError_t error = cudaSuccess;
  for (Capture* c : captures()) {
    const bool own = c->thread == std::this_thread::get_id() && c->mode != cudaStreamCaptureModeRelaxed;
    if (own || (thread_mode == cudaStreamCaptureModeGlobal && c->mode == cudaStreamCaptureModeGlobal))
      error = spoil(*c, cudaErrorStreamCaptureUnsupported, std::string(call) + " while a stream is captured");
  }
  return error;
}

cudaError_t check_wait(const char* call, cudaStream_t s) {
  Capture* c = resolve(s)->capture.get();
  return c ? spoil(*c, cudaErrorStreamCaptureUnsupported, std::string(call) + " on a captured stream: its work is written down, not done")
           : cudaSuccess;
}

cudaError_t check_wait(const char* call, cudaEvent_t e) {
  if (!e->captured) return cudaSuccess;
  const std::string fault = std::string(call) + " on an event of a captured stream: what it marks is written down, not done";
  const auto c = e->capture.lock();
  return c ? spoil(*c, cudaErrorCapturedEvent, fault) : refuse(cudaErrorCapturedEvent, fault);
}

cudaError_t check_null_stream() {
  cudaError_t error = cudaSuccess;
  for (Capture* c : captures())
    if (std::any_of(c->streams.begin(), c->streams.end(), [](cudaStream_t s) { return s->waits_for_null; }))
      error = spoil(*c, cudaErrorStreamCaptureImplicit,
                    "work on the null stream, which waits for a captured stream (made without cudaStreamNonBlocking)");
  return error;
}

cudaError_t capture_work(Capture& capture, CUstream_st& s, std::function<void()> work) {
  if (!capture.fault.empty()) return set_error(cudaErrorStreamCaptureInvalidated);
  capture.graph.nodes.push_back({std::move(work), s.last});
  s.last = {capture.graph.nodes.size() - 1};
  return sticky_error();
}

cudaError_t capture_record(cudaEvent_t e, CUstream_st& s) {
  if (!s.capture->fault.empty()) return set_error(cudaErrorStreamCaptureInvalidated);
  e->captured = true;
  e->capture = s.capture;
  e->last = s.last;
  return cudaSuccess;
}

cudaError_t capture_wait(CUstream_st& s, cudaEvent_t e) {
  if (!e->captured) {
    if (e->recorded == 0) return cudaSuccess;
    return spoil(*s.capture, cudaErrorStreamCaptureIsolation,
                 "cudaStreamWaitEvent: a captured stream waits for an event that was recorded outside the capture");
  }
  const auto capture = e->capture.lock();
  if (!capture) return refuse(cudaErrorInvalidValue, "cudaStreamWaitEvent: the event was recorded in a capture that has ended");
  if (s.capture && s.capture != capture) {
    spoil(*s.capture, cudaErrorStreamCaptureMerge, "cudaStreamWaitEvent: the event belongs to another capture");
    return spoil(*capture, cudaErrorStreamCaptureMerge, "cudaStreamWaitEvent: a stream of another capture waits for an event of this one");
  }
  if (!s.capture) {
    s.capture = capture;
    s.last.clear();
    capture->streams.push_back(&s);
  }
  merge(s.last, e->last);
  return cudaSuccess;
}

}  // namespace tapetum::emulation

using namespace tapetum::emulation;

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode) {
  const auto lock = lock_runtime();
  if (!s) return refuse(cudaErrorStreamCaptureUnsupported, "cudaStreamBeginCapture: the null stream cannot be captured");
  if (s->capture) return refuse(cudaErrorIllegalState, "cudaStreamBeginCapture: the stream is captured already");
  s->capture = std::make_shared<Capture>(Capture{s, mode, std::this_thread::get_id(), {s}, {}, {}});
  s->last.clear();
  captures().push_back(s->capture.get());
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* graph) {
  const auto lock = lock_runtime();
  *graph = nullptr;
  const std::shared_ptr<Capture> capture = resolve(s)->capture;
  if (!capture) return refuse(cudaErrorIllegalState, "cudaStreamEndCapture: the stream is not captured");
  if (capture->origin != s) return spoil(*capture, cudaErrorStreamCaptureUnmatched, "cudaStreamEndCapture: the capture began in another stream");
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
    return refuse(cudaErrorStreamCaptureWrongThread, "cudaStreamEndCapture: the capture began in another thread");
  const bool joined = is_joined(*capture);
  for (cudaStream_t each : capture->streams) each->capture = nullptr;
  captures().erase(std::find(captures().begin(), captures().end(), capture.get()));
  if (!capture->fault.empty()) return refuse(cudaErrorStreamCaptureInvalidated, "the capture became invalid: " + capture->fault);
  if (!joined) return refuse(cudaErrorStreamCaptureUnjoined, "cudaStreamEndCapture: a stream that joined the capture was not waited for at its end");
  *graph = new CUgraph_st(std::move(capture->graph));
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t s, cudaStreamCaptureStatus* status) {
  const auto lock = lock_runtime();
  const Capture* c = resolve(s)->capture.get();
  *status = !c ? cudaStreamCaptureStatusNone : c->fault.empty() ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusInvalidated;
  return cudaSuccess;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(thread_mode, *mode);
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, size_t* count) {
  *count = graph->nodes.size();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new CUgraphExec_st{std::make_shared<CUgraph_st>(*graph)};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t s) {
  const auto lock = lock_runtime();
  return submit(s, [graph = exec->graph] { run(*graph); });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
