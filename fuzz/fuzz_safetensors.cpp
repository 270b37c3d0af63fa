// Any bytes give tensors or a FormatError.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "core/serialization/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    tapetum::parse_safetensors({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const tapetum::FormatError&) {
  }
  return 0;
}
