#include "core/serialization/crc.h"

#include <array>
#include <cstring>

namespace tapetum {
namespace {

// Eight bytes a step (Kounavis and Berry 2005): table k holds what a byte does that stands k bytes before the end of the eight.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables tables_of(uint32_t polynomial) {
  Tables t{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? polynomial ^ (c >> 1) : c >> 1;
    t[0][i] = c;
  }
  for (size_t k = 1; k < t.size(); ++k)
    for (size_t i = 0; i < 256; ++i) t[k][i] = t[0][t[k - 1][i] & 255] ^ (t[k - 1][i] >> 8);
  return t;
}

constexpr Tables kIso = tables_of(0xEDB88320), kCastagnoli = tables_of(0x82F63B78);

uint32_t check(const Tables& t, const void* data, size_t bytes, uint32_t before) {
  const auto* p = static_cast<const unsigned char*>(data);
  uint32_t c = ~before;
  for (; bytes >= 8; bytes -= 8, p += 8) {
    uint32_t low, high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + 4, 4);
    low ^= c;
    c = 0;
    for (unsigned k = 0; k < 4; ++k) c ^= t[7 - k][low >> 8 * k & 255] ^ t[3 - k][high >> 8 * k & 255];
  }
  for (; bytes; --bytes) c = t[0][(c ^ *p++) & 255] ^ (c >> 8);
  return ~c;
}

}  // namespace

uint32_t crc32(const void* data, size_t bytes, uint32_t before) { return check(kIso, data, bytes, before); }
uint32_t crc32c(const void* data, size_t bytes, uint32_t before) { return check(kCastagnoli, data, bytes, before); }

}  // namespace tapetum
