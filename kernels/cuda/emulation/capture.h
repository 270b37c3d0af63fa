// Streams that are captured: their work is written down as a graph instead of done. Rules and names of errors are those of CUDA.
#pragma once
#include <memory>
#include <thread>
#include "kernels/cuda/emulation/streams.h"

struct CUgraph_st {
  struct Node {
    std::function<void()> work;
    std::vector<size_t> after;  // earlier nodes that it waits for
  };
  std::vector<Node> nodes;
};

namespace tapetum::emulation {

struct Capture {
  cudaStream_t origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  std::vector<cudaStream_t> streams;  // the origin, and those that came in by an event
  CUgraph_st graph;
  std::string fault;  // what made it invalid
};

// Refuses a call that may wait for the device or change memory: in a thread that captures, or while another one does with the global mode.
// What refuses also ends the capture's validity, so a fault cannot be passed over in silence.
cudaError_t check_unsafe_call(const char* call);
// Refuses to wait for what a capture holds.
cudaError_t check_wait(const char* call, cudaStream_t s);
cudaError_t check_wait(const char* call, cudaEvent_t e);
// The null stream waits for the others, unless they were made without that: refused while one of these is captured.
cudaError_t check_null_stream();

cudaError_t capture_work(Capture& capture, CUstream_st& s, std::function<void()> work);
cudaError_t capture_record(cudaEvent_t e, CUstream_st& s);
cudaError_t capture_wait(CUstream_st& s, cudaEvent_t e);  // s, e or both belong to a capture
cudaError_t spoil(Capture& capture, cudaError_t error, std::string fault);

}  // namespace tapetum::emulation
