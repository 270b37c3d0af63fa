// Any bytes give tensors or a FormatError: zip, pickle and legacy files of PyTorch, ONNX, safetensors.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "core/serialization/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    tapetum::parse_weights({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const tapetum::FormatError&) {
  }
  return 0;
}
