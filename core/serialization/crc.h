// Cyclic redundancy checks of 32 bits, reflected, as zip files (CRC-32, ISO 3309) and event files (CRC-32C, Castagnoli 1993) have them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tapetum {

uint32_t crc32(const void* data, size_t bytes, uint32_t before = 0);  // `before`: the check of what stands in front of these bytes
uint32_t crc32c(const void* data, size_t bytes, uint32_t before = 0);

}  // namespace tapetum
