#include "core/memory.h"

#include <fmt/core.h>

#include "core/storage.h"
#include "kernels/device.h"
#include "kernels/planned_memory.h"

namespace tapetum {

namespace {
kernels::MemoryCounters counters_of(Device device) {
  if (device.kind != DeviceKind::meta) return device_of(device).memory();
  const auto planned = kernels::planned_memory();
  return {planned.allocated, planned.peak, planned.allocated};
}
}  // namespace

size_t memory_allocated(Device device) { return counters_of(device).allocated; }
size_t peak_memory(Device device) { return counters_of(device).peak; }
size_t memory_reserved(Device device) { return counters_of(device).reserved; }
size_t workspace_at_peak() { return kernels::planned_memory().workspace_at_peak; }
void reset_peak_memory(Device device) { device.kind == DeviceKind::meta ? kernels::reset_planned_peak() : device_of(device).reset_peak(); }
void release_memory(Device device) { device_of(device).release_kept(); }

namespace {
std::string megabytes(size_t bytes) { return fmt::format("{:.{}f} MB", static_cast<double>(bytes) / 1e6, bytes < 10'000'000 ? 2 : 0); }
}  // namespace

std::string held_memory(Device device) {
  const auto& api = device_of(device);
  const auto held = api.memory();
  std::string text = fmt::format("tensors hold {}", megabytes(held.allocated));
  kernels::BlockCount greatest[6];
  const size_t sizes = api.blocks ? api.blocks(greatest, std::size(greatest)) : 0;
  for (size_t i = 0; i < sizes; ++i) text += fmt::format("{}{} x {}", i ? ", " : " (", greatest[i].count, megabytes(greatest[i].bytes));
  if (sizes) text += ")";
  return text + fmt::format(", {} are kept for reuse", megabytes(held.reserved - held.allocated));
}

}  // namespace tapetum
