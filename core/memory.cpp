#include "core/memory.h"

#include <fmt/core.h>

#include <cstring>

#include "core/error.h"
#include "core/ops/view.h"
#include "core/storage.h"
#include "kernels/device.h"

namespace tapetum {

size_t memory_allocated(Device device) { return device_of(device).memory().allocated; }
size_t peak_memory(Device device) { return device_of(device).memory().peak; }
size_t memory_reserved(Device device) { return device_of(device).memory().reserved; }
void reset_peak_memory(Device device) { device_of(device).reset_peak(); }
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

Tensor pin_memory(const Tensor& x) {
  if (is_pinned(x)) return x;
  if (x.device().kind != DeviceKind::cpu) throw DeviceError(fmt::format("pin_memory: expected a tensor on the cpu, got '{}'", to_string(x.device())));
  const Tensor dense = contiguous(x.detach());
  const size_t bytes = static_cast<size_t>(x.numel()) * size_of(x.dtype());
  Tensor y = tensor_on(Storage::make_pinned(bytes), x.shape(), contiguous_strides(x.shape()), x.dtype());
  std::memcpy(y.mutable_raw(), dense.raw(), bytes);
  return y;
}

bool is_pinned(const Tensor& x) { return x.impl().storage->owner == Owner::pinned; }

}  // namespace tapetum
