// Any bytes give a tensor or a FormatError; gzip among them.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "data/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    tapetum::data::parse_idx({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const tapetum::FormatError&) {
  }
  return 0;
}
