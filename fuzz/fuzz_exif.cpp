// Any bytes have an orientation from 1 to 8: as a file, and as the block in a JPEG and in a PNG.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "data/exif.h"

namespace {

void check(int orientation) {
  if (orientation < 1 || orientation > 8) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  check(tapetum::data::exif_orientation(bytes));
  check(tapetum::data::tiff_orientation(bytes));
  check(tapetum::data::exif_orientation("\xFF\xD8\xFF" + bytes));
  check(tapetum::data::exif_orientation("\x89PNG\r\n\x1a\n" + bytes));
  return 0;
}
