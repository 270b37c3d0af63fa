#include "core/cuda_graph.h"

#include <fmt/core.h>

#include "core/capture.h"
#include "core/error.h"
#include "core/random.h"
#include "core/storage.h"
#include "core/tensor.h"
#include "kernels/device.h"

namespace tapetum {
namespace {
thread_local Capture* capture = nullptr;
}

Capture* current_capture() { return capture; }
void set_current_capture(Capture* c) { capture = c; }
void refuse_capture(const char* op, const char* why) {
  if (capture) throw DeviceError(fmt::format("{}: {}, while a graph is captured", op, why));
}

namespace cuda {

// The stream is the graph's own: blocks that it has used go back to it alone, so replays find their memory untouched.
struct Graph::Parts {
  explicit Parts(Device device) : stream(device), start(sizeof(kernels::RandomCall), device) {
    capture.device = device;
    capture.start = static_cast<kernels::RandomCall*>(start.data);
    device_of(device).open_pool(stream.handle());
  }
  ~Parts() {
    const auto& api = device_of(capture.device);
    if (graph) api.free_graph(graph);
    api.close_pool(stream.handle());
    release_faults(capture.faults);
  }
  Stream stream;
  Storage start;
  Capture capture;
  void* graph = nullptr;
};

Graph::Graph(Device device) : device_(device) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
void Graph::reset() { parts_.reset(); }

Graph::Recording::Recording(Graph& graph) : graph_(graph), outer_(Stream::current(graph.device_)) {
  refuse_capture("Graph::capture", "a second capture cannot begin");
  graph.parts_ = std::make_unique<Parts>(graph.device_);
  Parts& p = *graph.parts_;
  const auto& api = device_of(graph.device_);
  if (!api.begin_capture(p.stream.handle())) {
    graph.reset();
    check_call(api, "Graph::capture", false);
  }
  kernels::set_current_stream(graph.device_.index, p.stream.handle());
  set_current_capture(&p.capture);
}

void Graph::Recording::end() {
  Parts& p = *graph_.parts_;
  const auto& api = device_of(graph_.device_);
  p.graph = api.end_capture(p.stream.handle());
  check_call(api, "Graph::capture", p.graph != nullptr);
}

Graph::Recording::~Recording() {
  set_current_capture(nullptr);
  kernels::set_current_stream(graph_.device_.index, outer_.handle());
  if (graph_.parts_->graph) return;
  const auto& api = device_of(graph_.device_);
  if (void* unfinished = api.end_capture(graph_.parts_->stream.handle())) api.free_graph(unfinished);
  graph_.reset();
}

void Graph::replay() {
  refuse_capture("Graph::replay", "a graph cannot be part of another");
  if (!parts_ || !parts_->graph) throw DeviceError("Graph::replay: nothing was captured");
  const auto& api = device_of(device_);
  const Capture& capture = parts_->capture;
  if (capture.random_calls) {
    const GeneratorState now = take_random_calls(capture.random_calls);
    const kernels::RandomCall start{now.seed, now.calls};
    check_call(api, "Graph::replay", api.copy(capture.start, &start, sizeof start, kernels::CopyKind::to_device, false));
  }
  check_call(api, "Graph::replay", api.launch_graph(parts_->graph, kernels::current_stream()));
}

bool is_capturing() { return current_capture() != nullptr; }

}  // namespace cuda
}  // namespace tapetum
