// What memory, streams and launches share: one lock, the last error, and the order of work.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>
#include "kernels/cuda/emulation/runtime.h"

namespace tapetum::emulation {
struct Capture;
}

struct CUstream_st {
  int device = 0;
  bool waits_for_null = true;  // and the null stream for it
  std::deque<std::function<void()>> queue;
  bool running = false;
  std::shared_ptr<tapetum::emulation::Capture> capture;  // null: none is under way
  std::vector<size_t> last;                              // nodes of the captured graph that the next one waits for
};
struct CUevent_st {
  unsigned long recorded = 0, done = 0;
  double milliseconds = 0;
  cudaStream_t stream = nullptr;
  bool captured = false;                               // last recorded in a captured stream, behind the nodes `last`
  std::weak_ptr<tapetum::emulation::Capture> capture;  // dead when it has ended
  std::vector<size_t> last;
};

namespace tapetum::emulation {

// Held by every call of the runtime: kernels run one at a time.
std::unique_lock<std::recursive_mutex> lock_runtime();

cudaError_t set_error(cudaError_t error);
cudaError_t current_error();
cudaError_t sticky_error();  // a kernel's failure: from then on every call returns it
void set_diagnostic(std::string text);

cudaStream_t resolve(cudaStream_t stream);  // null: the default stream

// Does the work when its stream comes to it: now, or with Config::lazy_streams at the next synchronisation. A captured stream writes it
// down. Returns what the call that submits it returns.
cudaError_t submit(cudaStream_t stream, std::function<void()> work);
void finish_stream(cudaStream_t stream);
void finish_all();
bool is_of_current_device(cudaStream_t stream);  // kernels and events of another device's stream are refused

// Device memory may be touched while one exists (Config::guard_device_memory).
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
};

}  // namespace tapetum::emulation
