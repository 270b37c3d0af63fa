// What memory, streams and launches share: one lock, the last error, and the order of work.
#pragma once
#include <functional>
#include <mutex>
#include <string>
#include "kernels/cuda/emulation/runtime.h"

namespace tapetum::emulation {

// Held by every call of the runtime: kernels run one at a time.
std::unique_lock<std::recursive_mutex> lock_runtime();

cudaError_t set_error(cudaError_t error);
cudaError_t current_error();
void set_diagnostic(std::string text);

// Does the work when its stream comes to it: now, or with Config::lazy_streams at the next synchronisation.
void submit(cudaStream_t stream, std::function<void()> work);
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
