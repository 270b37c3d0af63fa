// Any bytes give a pickle, none yet, or a FormatError. Zip archives hide pickles behind a CRC that a fuzzer does not find: this goes to the machine.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "core/serialization/pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    tapetum::parse_pickle({reinterpret_cast<const char*>(data), size}, "fuzz",
                          {1 << 20, {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2"}});
  } catch (const tapetum::FormatError&) {
  }
  return 0;
}
