// Any text gives files with classes or a FormatError.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "data/csv_dataset.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    tapetum::data::parse_labelled_csv({reinterpret_cast<const char*>(data), size}, {.csv = "fuzz"});
  } catch (const tapetum::FormatError&) {
  }
  return 0;
}
