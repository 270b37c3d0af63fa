#include "ladders/device.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

namespace tapetum::ladders {
namespace {

constexpr size_t kAlignment = 256;

bool copy(void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
  return true;
}

bool time(const std::function<bool()>& work, double* milliseconds) {
  const auto begin = std::chrono::steady_clock::now();
  const bool done = work();
  *milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return done;
}

constexpr Device host{
    .allocate = [](size_t bytes) { return std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment); },
    .release = std::free,
    .copy = copy,
    .finish = [] { return true; },
    .last_error = [] { return "no error"; },
    .time = time,
    .flops = [] { return 0.0; },
};

}  // namespace

#if defined(TAPETUM_WITH_CUDA)
extern const Device cuda;
const Device* device_of(DeviceKind kind) { return kind == DeviceKind::cuda ? &cuda : &host; }
#else
const Device* device_of(DeviceKind kind) { return kind == DeviceKind::cuda ? nullptr : &host; }
#endif

}  // namespace tapetum::ladders
