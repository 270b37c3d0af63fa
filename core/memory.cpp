#include "core/memory.h"

#include "core/storage.h"
#include "kernels/device.h"

namespace tapetum {

size_t memory_allocated(Device device) { return device_of(device.kind).memory().allocated; }
size_t peak_memory(Device device) { return device_of(device.kind).memory().peak; }
size_t memory_reserved(Device device) { return device_of(device.kind).memory().reserved; }
void reset_peak_memory(Device device) { device_of(device.kind).reset_peak(); }
void release_memory(Device device) { device_of(device.kind).release_kept(); }

}  // namespace tapetum
