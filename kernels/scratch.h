// Memory of one thread for the blocks that a unit of work packs: meant to stay in its cache, kept between calls.
#pragma once
#include <cstddef>

namespace tapetum::kernels {

// 64-byte aligned, unspecified contents, valid until the thread's next call.
void* thread_scratch(size_t bytes);

}  // namespace tapetum::kernels
