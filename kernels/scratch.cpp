#include "kernels/scratch.h"

#include <cstdlib>
#include <memory>
#include <new>

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
  if (bytes > block.bytes) {
    const size_t rounded = (bytes + 4095) / 4096 * 4096;
    block = {};
    block.data.reset(std::aligned_alloc(64, rounded));
    if (!block.data) throw std::bad_alloc();
    block.bytes = rounded;
  }
  return block.data.get();
}

}  // namespace tapetum::kernels
