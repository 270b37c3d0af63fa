// Any bytes give an image, labels, or a FormatError.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "data/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    tapetum::data::decode_image(bytes, "fuzz");
    tapetum::data::decode_labels(bytes, "fuzz");
  } catch (const tapetum::FormatError&) {
  }
  return 0;
}
