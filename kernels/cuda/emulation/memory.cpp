// Device memory is host memory that starts as NaN; with Config::guard_device_memory only kernels and copies may touch it.
#include <sys/mman.h>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>
#include "kernels/cuda/emulation/capture.h"
#include "kernels/cuda/emulation/config.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/streams.h"

namespace tapetum::emulation {
namespace {

constexpr size_t kPage = 4096, kAlignment = 256;
constexpr size_t kGuard = 1 << 20;  // bytes before and behind a guarded allocation that nobody may touch

struct Mapping {
  size_t asked_for = 0;
  char* begin = nullptr;  // of a guarded allocation
  size_t bytes = 0;
};
// Never destroyed: tensors with static storage are freed after main.
std::map<void*, Mapping>& allocations() {
  static auto& m = *new std::map<void*, Mapping>;
  return m;
}
std::map<const void*, size_t>& pinned() {
  static auto& m = *new std::map<const void*, size_t>;
  return m;
}
bool is_pinned(const void* p) {
  auto it = pinned().upper_bound(p);
  return it != pinned().begin() && p < static_cast<const char*>((--it)->first) + it->second;
}

int accesses = 0;  // DeviceAccess objects alive

void protect_all(int protection) {
  for (auto& [p, mapping] : allocations())
    if (mapping.begin) mprotect(mapping.begin, mapping.bytes, protection);
}

size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

// Ends where the pages that fault begin.
char* allocate_guarded(size_t n, Mapping& mapping) {
  const size_t aligned = round_up(n, kAlignment);
  mapping.bytes = round_up(aligned, kPage);
  void* m = mmap(nullptr, mapping.bytes + 2 * kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (m == MAP_FAILED) return nullptr;
  mapping.begin = static_cast<char*>(m) + kGuard;
  mprotect(mapping.begin, mapping.bytes, PROT_READ | PROT_WRITE);
  return mapping.begin + mapping.bytes - aligned;
}

// Of the exact size: ASan's redzone begins right behind. It aborts on a wish that no device could grant.
char* allocate_plain(size_t n) {
  constexpr size_t most = size_t{1} << 39;
  void* m = nullptr;
  return n <= most && posix_memalign(&m, kAlignment, n) == 0 ? static_cast<char*>(m) : nullptr;
}

}  // namespace

std::vector<profile::Span> device_allocations() {
  std::vector<profile::Span> all;
  for (const auto& [p, mapping] : allocations()) all.push_back({reinterpret_cast<uintptr_t>(p), reinterpret_cast<uintptr_t>(p) + mapping.asked_for});
  return all;
}

namespace {

profile::Span with_zones(const Mapping& m) {
  const auto begin = reinterpret_cast<uintptr_t>(m.begin);
  return {begin - kGuard, begin + m.bytes + kGuard};
}

}  // namespace

std::vector<profile::Span> guarded_allocations() {
  std::vector<profile::Span> all;
  for (const auto& [p, mapping] : allocations())
    if (mapping.begin) all.push_back(with_zones(mapping));
  return all;
}

std::optional<profile::Span> allocation_near(uintptr_t at) {
  for (const auto& [p, mapping] : allocations()) {
    if (!mapping.begin || at < with_zones(mapping).begin || at >= with_zones(mapping).end) continue;
    const auto data = reinterpret_cast<uintptr_t>(p);
    return profile::Span{data, data + mapping.asked_for};
  }
  return {};
}

DeviceAccess::DeviceAccess() {
  if (accesses++ == 0 && config().guard_device_memory) protect_all(PROT_READ | PROT_WRITE);
}
DeviceAccess::~DeviceAccess() {
  if (--accesses == 0 && config().guard_device_memory) protect_all(PROT_NONE);
}

}  // namespace tapetum::emulation

using namespace tapetum::emulation;

cudaError_t cudaMalloc(void** p, size_t n) {
  const auto lock = lock_runtime();
  *p = nullptr;
  if (const cudaError_t error = check_unsafe_call("cudaMalloc"); error != cudaSuccess) return error;
  if (n == 0) return cudaSuccess;
  Mapping mapping{.asked_for = n};
  char* data = config().guard_device_memory ? allocate_guarded(n, mapping) : allocate_plain(n);
  if (!data) return set_error(cudaErrorMemoryAllocation);
  if (config().poison) std::memset(data, 0xff, n);
  if (mapping.begin && accesses == 0) mprotect(mapping.begin, mapping.bytes, PROT_NONE);
  allocations()[data] = mapping;
  *p = data;
  return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  const auto lock = lock_runtime();
  if (!p) return cudaSuccess;
  if (const cudaError_t error = check_unsafe_call("cudaFree"); error != cudaSuccess) return error;
  finish_all();
  const auto it = allocations().find(p);
  if (it == allocations().end()) return set_error(cudaErrorInvalidValue);
  if (it->second.begin)
    munmap(it->second.begin - kGuard, it->second.bytes + 2 * kGuard);
  else
    std::free(p);
  allocations().erase(it);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t n) {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_unsafe_call("cudaMallocHost"); error != cudaSuccess) return error;
  *p = std::malloc(n);
  if (!*p) return set_error(cudaErrorMemoryAllocation);
  pinned()[*p] = n;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_unsafe_call("cudaFreeHost"); error != cudaSuccess) return error;
  finish_all();
  pinned().erase(p);
  std::free(p);
  return cudaSuccess;
}

// Pageable host memory is staged before the call returns, and a copy into it is finished by then. In a captured stream neither can be.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t n, cudaMemcpyKind kind, cudaStream_t stream) {
  const auto lock = lock_runtime();
  const bool from_pageable = kind == cudaMemcpyHostToDevice && !is_pinned(from), to_pageable = kind == cudaMemcpyDeviceToHost && !is_pinned(to);
  if (from_pageable || to_pageable)
    if (const cudaError_t error = check_wait("cudaMemcpyAsync with pageable host memory", stream); error != cudaSuccess) return error;
  if (from_pageable) {
    const auto* bytes = static_cast<const char*>(from);
    auto stage = std::make_shared<std::vector<char>>(bytes, bytes + n);
    return submit(stream, [=] {
      DeviceAccess access;
      std::memcpy(to, stage->data(), n);
    });
  }
  const cudaError_t error = submit(stream, [=] {
    DeviceAccess access;
    std::memmove(to, from, n);
  });
  if (error == cudaSuccess && to_pageable) finish_stream(stream);
  return error == cudaSuccess ? sticky_error() : error;
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t n, cudaMemcpyKind) {
  const auto lock = lock_runtime();
  if (const cudaError_t error = check_unsafe_call("cudaMemcpy"); error != cudaSuccess) return error;
  finish_all();
  DeviceAccess access;
  std::memmove(to, from, n);
  return sticky_error();
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t n, cudaStream_t stream) {
  const auto lock = lock_runtime();
  return submit(stream, [=] {
    DeviceAccess access;
    std::memset(p, value, n);
  });
}
cudaError_t cudaMemset(void* p, int value, size_t n) { return cudaMemsetAsync(p, value, n, nullptr); }
