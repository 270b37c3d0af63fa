#include "kernels/cuda/allocator.cuh"

#include <map>
#include <unordered_map>
#include <vector>

#include "kernels/allocator.h"
#include "kernels/block_cache.h"
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {
namespace {

struct Place {
  void* stream;
  int size_class;
  auto operator<=>(const Place&) const = default;
};

class DeviceCache : public Counted {
 public:
  void* allocate(size_t bytes) {
    Place place{current_stream(), class_of(bytes)};
    std::lock_guard lock(mutex_);
    void* data = take_kept(place);
    if (!data) {
      data = from_device(place.size_class, bytes);
      if (!data) {
        release_kept();
        data = from_device(place.size_class, bytes);
      }
      if (!data) return nullptr;
      counters_.reserved += size_of_class(place.size_class);
    }
    count(size_of_class(place.size_class));
    used_.emplace(data, place);
    return data;
  }

  void release(void* data) {
    std::lock_guard lock(mutex_);
    const auto at = used_.find(data);
    const Place place = at->second;
    used_.erase(at);
    counters_.allocated -= size_of_class(place.size_class);
    if (allocations_are_exact()) {
      counters_.reserved -= size_of_class(place.size_class);
      cudaFree(data);
    } else {
      kept_[place].push_back(data);
    }
  }

  void release_all() {
    std::lock_guard lock(mutex_);
    release_kept();
  }

 private:
  // Of the class, or of the next ones: `place` then names the block's own.
  void* take_kept(Place& place) {
    for (auto at = kept_.lower_bound(place); at != kept_.end() && at->first.stream == place.stream; ++at) {
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
    const cudaError_t error = cudaMalloc(&data, allocations_are_exact() ? bytes : size_of_class(size_class));
    if (error != cudaSuccess) cudaGetLastError();  // the caller reports it; the next launch must not
    return error == cudaSuccess ? data : nullptr;
  }
  void release_kept() {
    for (auto& [place, blocks] : kept_) {
      counters_.reserved -= blocks.size() * size_of_class(place.size_class);
      for (void* data : blocks) cudaFree(data);
    }
    kept_.clear();
  }

  std::map<Place, std::vector<void*>> kept_;
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
void reset_device_peak() { cache().reset_peak(); }
void release_cached_device() { cache().release_all(); }

}  // namespace tapetum::kernels
