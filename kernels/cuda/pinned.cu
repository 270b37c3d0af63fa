#include "kernels/cuda/pinned.cuh"

#include <map>
#include <mutex>
#include <vector>

#include "kernels/block_cache.h"
#include "kernels/cuda/allocator.cuh"

namespace tapetum::kernels {
namespace {

struct Block {
  size_t bytes;
  bool in_use;
  std::vector<cudaEvent_t> copies;  // that may not be done

  bool copies_are_done() {
    while (!copies.empty()) {
      if (cudaEventQuery(copies.back()) == cudaErrorNotReady) return false;
      cudaEventDestroy(copies.back());
      copies.pop_back();
    }
    return true;
  }
};

class PinnedCache {
 public:
  void* allocate(size_t bytes) {
    const size_t size = size_of_class(class_of(bytes));
    std::lock_guard lock(mutex_);
    for (auto& [data, block] : blocks_) {
      if (block.in_use || block.bytes != size || !block.copies_are_done()) continue;
      block.in_use = true;
      return const_cast<char*>(data);
    }
    void* data = nullptr;
    const OutsideCapture allowed;
    if (cudaMallocHost(&data, size) != cudaSuccess) {
      cudaGetLastError();  // the caller reports it; the next launch must not
      return nullptr;
    }
    blocks_[static_cast<const char*>(data)] = {size, true, {}};
    return data;
  }

  void release(void* data) {
    std::lock_guard lock(mutex_);
    blocks_.at(static_cast<const char*>(data)).in_use = false;
  }

  bool contains(const void* data) {
    std::lock_guard lock(mutex_);
    return find(data) != nullptr;
  }

  cudaError_t note_copy(const void* data, cudaStream_t stream) {
    std::lock_guard lock(mutex_);
    cudaEvent_t done = nullptr;
    if (const cudaError_t e = cudaEventCreateWithFlags(&done, cudaEventDisableTiming); e != cudaSuccess) return e;
    find(data)->copies.push_back(done);
    return cudaEventRecord(done, stream);
  }

 private:
  Block* find(const void* data) {
    const auto* p = static_cast<const char*>(data);
    auto at = blocks_.upper_bound(p);
    if (at == blocks_.begin()) return nullptr;
    --at;
    return p < at->first + at->second.bytes ? &at->second : nullptr;
  }

  std::mutex mutex_;
  std::map<const char*, Block> blocks_;
};

// Never destroyed: tensors with static storage may die last.
PinnedCache& cache() {
  static PinnedCache& one = *new PinnedCache;
  return one;
}

}  // namespace

void* allocate_pinned(size_t bytes) { return cache().allocate(bytes); }
void release_pinned(void* data) { cache().release(data); }
bool is_pinned(const void* data) { return cache().contains(data); }
cudaError_t note_pinned_copy(const void* data, cudaStream_t stream) { return cache().note_copy(data, stream); }

}  // namespace tapetum::kernels
