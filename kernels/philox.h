// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): random words as a function of a counter.
#pragma once
#include <cstdint>

namespace tapetum::kernels {

struct PhiloxWords {
  uint32_t at[4];
};

// Block `block` of the stream `stream` under `key`: four words, the same on every device.
constexpr PhiloxWords philox(uint64_t key, uint64_t stream, uint64_t block) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  PhiloxWords c{
      {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)}};
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const uint64_t a = uint64_t{0xD2511F53u} * c.at[0], b = uint64_t{0xCD9E8D57u} * c.at[2];
    c = {{static_cast<uint32_t>(b >> 32) ^ c.at[1] ^ k0, static_cast<uint32_t>(b), static_cast<uint32_t>(a >> 32) ^ c.at[3] ^ k1,
          static_cast<uint32_t>(a)}};
  }
  return c;
}

constexpr double unit_interval(uint32_t word) { return (word >> 8) * 0x1p-24; }  // [0, 1)

}  // namespace tapetum::kernels
