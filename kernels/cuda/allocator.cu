#include "kernels/cuda/allocator.cuh"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "kernels/allocator.h"
#include "kernels/block_cache.h"
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {
namespace {

// Of a block: its stream, which is `nobody` when a pool was closed over it.
struct Place {
  int device;
  void* stream;
  int size_class;
  auto operator<=>(const Place&) const = default;
};

char nobody;

// Of all devices; what it counts is of the current one.
class DeviceCache {
 public:
  void* allocate(size_t bytes) {
    Place place{current_device(), current_stream(), class_of(bytes)};
    std::lock_guard lock(mutex_);
    void* data = take_kept(place);
    if (!data) {
      data = from_device(place.size_class, bytes);
      if (!data) {
        release_kept({place.device, nullptr, 0}, {place.device + 1, nullptr, 0});
        data = from_device(place.size_class, bytes);
      }
      if (!data) return nullptr;
      counters(place).reserved += size_of_class(place.size_class);
    }
    counters(place).take(size_of_class(place.size_class));
    used_.emplace(data, place);
    return data;
  }

  void release(void* data) {
    std::lock_guard lock(mutex_);
    const auto at = used_.find(data);
    const Place place = at->second;
    used_.erase(at);
    counters(place).allocated -= size_of_class(place.size_class);
    if (place.stream == &nobody || (allocations_are_exact() && !is_pooled(place)))
      give_back(data, place);
    else
      kept_[place].push_back(data);
  }

  void open_pool(void* stream) {
    std::lock_guard lock(mutex_);
    pools_.insert({current_device(), stream});
  }
  void close_pool(void* stream) {
    const OutsideCapture allowed;
    cudaDeviceSynchronize();  // a replay may still use it
    std::lock_guard lock(mutex_);
    const int device = current_device();
    pools_.erase({device, stream});
    release_kept({device, stream, 0}, {device, stream, kClasses});
    for (auto& [data, place] : used_)
      if (place.device == device && place.stream == stream) place.stream = &nobody;
  }

  void release_all() {
    std::lock_guard lock(mutex_);
    release_kept({current_device(), nullptr, 0}, {current_device() + 1, nullptr, 0});
  }

  MemoryCounters counters() {
    std::lock_guard lock(mutex_);
    return counters_[current_device()];
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    MemoryCounters& c = counters_[current_device()];
    c.peak = c.allocated;
  }

  size_t greatest(BlockCount* blocks, size_t room) {
    std::lock_guard lock(mutex_);
    std::map<int, size_t, std::greater<>> count;  // per size class
    for (const auto& [data, place] : used_)
      if (place.device == current_device()) ++count[place.size_class];
    size_t n = 0;
    for (const auto& [size_class, blocks_of_it] : count)
      if (n < room) blocks[n++] = {size_of_class(size_class), blocks_of_it};
    return n;
  }

 private:
  // Of the class, or of the next ones: `place` then names the block's own.
  void* take_kept(Place& place) {
    if (allocations_are_exact()) return nullptr;
    for (auto at = kept_.lower_bound(place); at != kept_.end() && at->first.device == place.device && at->first.stream == place.stream; ++at) {
      if (at->first.size_class >= place.size_class + kMaxStretch) return nullptr;
      if (at->second.empty()) continue;
      place = at->first;
      void* data = at->second.back();
      at->second.pop_back();
      return data;
    }
    return nullptr;
  }
  static void* from_device(int size_class, size_t bytes) {
    void* data = nullptr;
    const OutsideCapture allowed;
    const cudaError_t error = cudaMalloc(&data, allocations_are_exact() ? bytes : size_of_class(size_class));
    if (error != cudaSuccess) cudaGetLastError();  // the caller reports it; the next launch must not
    return error == cudaSuccess ? data : nullptr;
  }
  // From `first` to before `last`, but for what lies in open pools.
  void release_kept(const Place& first, const Place& last) {
    for (auto at = kept_.lower_bound(first); at != kept_.end() && at->first < last;) {
      if (is_pooled(at->first)) {
        ++at;
        continue;
      }
      for (void* data : at->second) give_back(data, at->first);
      at = kept_.erase(at);
    }
  }
  void give_back(void* data, const Place& place) {
    const OutsideCapture allowed;
    counters(place).reserved -= size_of_class(place.size_class);
    cudaFree(data);
  }
  bool is_pooled(const Place& place) const { return pools_.count({place.device, place.stream}) > 0; }
  MemoryCounters& counters(const Place& place) { return counters_[place.device]; }

  std::mutex mutex_;
  MemoryCounters counters_[kMaxDevices] = {};
  std::map<Place, std::vector<void*>> kept_;
  std::set<std::pair<int, void*>> pools_;
  std::unordered_map<void*, Place> used_;
};

// Never destroyed: tensors with static storage may die last.
DeviceCache& cache() {
  static DeviceCache& one = *new DeviceCache;
  return one;
}

}  // namespace

void* allocate_device(size_t bytes) { return cache().allocate(bytes); }
void release_device(void* data) { cache().release(data); }
MemoryCounters device_memory() { return cache().counters(); }
size_t device_blocks(BlockCount* greatest, size_t room) { return cache().greatest(greatest, room); }
void reset_device_peak() { cache().reset_peak(); }
void release_cached_device() { cache().release_all(); }
void open_device_pool(void* stream) { cache().open_pool(stream); }
void close_device_pool(void* stream) { cache().close_pool(stream); }

}  // namespace tapetum::kernels
