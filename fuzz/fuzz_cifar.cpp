// Any bytes give images with labels or a FormatError. The first byte chooses the labels; every letter P behind it stands for the 3072 bytes of an
// image, which a fuzzer would not find by itself.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/error.h"
#include "data/cifar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tapetum::data::CifarLabels;
  if (size == 0) return 0;
  std::string bytes;
  for (size_t i = 1; i < size; ++i) {
    if (data[i] == 'P')
      bytes.append(3072, 'x');
    else
      bytes += static_cast<char>(data[i]);
    if (bytes.size() > 1 << 20) return 0;
  }
  constexpr CifarLabels labels[] = {CifarLabels::ten, CifarLabels::fine, CifarLabels::coarse};
  try {
    tapetum::data::parse_cifar(bytes, "fuzz", labels[data[0] % 3]);
  } catch (const tapetum::FormatError&) {
  }
  return 0;
}
