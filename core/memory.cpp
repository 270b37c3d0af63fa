#include "core/memory.h"

#include <fmt/core.h>

#include "core/error.h"
#include "kernels/allocator.h"

namespace tapetum {
namespace {

void check(Device device) {
  if (device.kind != DeviceKind::cpu) throw DeviceError(fmt::format("memory: no counters for device '{}' in this build", name_of(device.kind)));
}

}  // namespace

size_t memory_allocated(Device device) { return check(device), kernels::host_memory().allocated; }
size_t peak_memory(Device device) { return check(device), kernels::host_memory().peak; }
size_t memory_reserved(Device device) { return check(device), kernels::host_memory().reserved; }
void reset_peak_memory(Device device) {
  check(device);
  kernels::reset_host_peak();
}
void release_memory(Device device) {
  check(device);
  kernels::release_cached_host();
}

}  // namespace tapetum
