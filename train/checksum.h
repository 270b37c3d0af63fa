// XXH64 (Yann Collet's xxHash, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md): finds accidental damage, not forgery.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tapetum::train {

uint64_t xxh64(const void* data, size_t bytes, uint64_t seed = 0);

}  // namespace tapetum::train
