#include "kernels/scratch.h"

#include <cstdlib>
#include <memory>
#include <new>

#include "kernels/allocator.h"

namespace tapetum::kernels {
namespace {

struct Free {
  void operator()(void* p) const { std::free(p); }
};
struct Block {
  std::unique_ptr<void, Free> data;
  size_t bytes = 0;
};
thread_local Block block;

}  // namespace

void* thread_scratch(size_t bytes) {
  const bool exact = allocations_are_exact();
  if (bytes > block.bytes || (exact && bytes != block.bytes)) {
    const size_t room = exact ? bytes : (bytes + 4095) / 4096 * 4096;
    block = {};
    void* data = nullptr;
    if (posix_memalign(&data, 64, room) != 0) throw std::bad_alloc();
    block.data.reset(data);
    block.bytes = room;
  }
  return block.data.get();
}

}  // namespace tapetum::kernels
