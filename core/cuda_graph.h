// A whole training step as one launch: its kernels are written down once and then repeated without the host's share of the work.
//
//   step();                              // a few times before: optimizer state is made by the first step
//   cuda::Graph graph;
//   graph.capture([&] { loss = step(x, y); });
//   for (...) { copy_(x, next_x); copy_(y, next_y); graph.replay(); }
//
// A replay uses the same memory: inputs are filled by copy_, and what the captured code made (loss, gradients) is found in the same tensors,
// whose memory belongs to the graph while it lives. Random numbers are those that the code would have drawn now.
#pragma once
#include <memory>

#include "core/cuda.h"

namespace tapetum::cuda {

class Graph {
 public:
  explicit Graph(Device device = DeviceKind::cuda);
  ~Graph();
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;

  // Runs f, whose work on the device is captured and not done. What would wait for the device, or leave a value of the host in the graph
  // (item(), nonzero, to(x, device), set_lr), throws DeviceError naming the op; what f throws ends the capture, and the graph is empty.
  template <class F> void capture(F&& f) {
    Recording recording(*this);
    f();
    recording.end();
  }
  // On the current stream; returns at once. Throws DeviceError. Two replays must not run side by side.
  void replay();
  void reset();  // gives its memory back, but for what tensors still hold

 private:
  struct Parts;
  class Recording {
   public:
    explicit Recording(Graph& graph);
    ~Recording();
    Recording(const Recording&) = delete;
    void end();

   private:
    Graph& graph_;
    Stream outer_;
  };
  Device device_;
  std::unique_ptr<Parts> parts_;
};

bool is_capturing();  // on this thread

}  // namespace tapetum::cuda
