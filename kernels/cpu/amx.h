// The tile registers of AMX (Intel, Architecture Instruction Set Extensions Programming Reference, chapter 3): eight matrices of up to 16 rows of
// 64 bytes. Tiles 0 to 3 hold sums of f32, 4 and 5 rows of the left factor, 6 and 7 pairs of rows of the right one. Trees that emulate hardware
// have them in memory.
#pragma once
#include <cstdint>
#include <cstring>

#include "kernels/types.h"

namespace tapetum::kernels {
namespace {

#if defined(TAPETUM_EMULATED_AMX)

struct TileRegister {
  int rows;
  char row[16][64];
};
thread_local TileRegister tile_registers[8];

inline float bf16_at(const char* p) {
  BFloat16 x;
  std::memcpy(&x, p, sizeof x);
  return static_cast<float>(x);
}

// While it lives, tiles 0, 1, 4 have `upper` rows, 2, 3, 5 `lower` rows.
class Tiles {
 public:
  Tiles(int upper, int lower) {
    for (int t = 0; t < 8; ++t) tile_registers[t].rows = t >= 6 ? 16 : t == 2 || t == 3 || t == 5 ? lower : upper;
  }
  Tiles(const Tiles&) = delete;
};

template <int tile> void zero_tile() { std::memset(tile_registers[tile].row, 0, sizeof tile_registers[tile].row); }
template <int tile> void load_tile(const void* from, int64_t stride) {  // bytes
  zero_tile<tile>();
  for (int i = 0; i < tile_registers[tile].rows; ++i) std::memcpy(tile_registers[tile].row[i], static_cast<const char*>(from) + i * stride, 64);
}
template <int tile> void store_tile(void* to, int64_t stride) {
  for (int i = 0; i < tile_registers[tile].rows; ++i) std::memcpy(static_cast<char*>(to) + i * stride, tile_registers[tile].row[i], 64);
}
// sums [16, 16] += a [16, 32] b [32, 16]
template <int sums, int a, int b> void multiply_tiles() {
  for (int l = 0; l < 32; ++l) {
    float y[16];
    for (int j = 0; j < 16; ++j) y[j] = bf16_at(tile_registers[b].row[l / 2] + 4 * j + 2 * (l % 2));
    for (int i = 0; i < tile_registers[sums].rows; ++i) {
      float sum[16];
      std::memcpy(sum, tile_registers[sums].row[i], 64);
      for (int j = 0; j < 16; ++j) sum[j] += bf16_at(tile_registers[a].row[i] + 2 * l) * y[j];
      std::memcpy(tile_registers[sums].row[i], sum, 64);
    }
  }
}

#else

// While it lives, tiles 0, 1, 4 have `upper` rows, 2, 3, 5 `lower` rows.
class Tiles {
 public:
  Tiles(int upper, int lower) {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    for (int t = 0; t < 8; ++t) {
      config.rows[t] = static_cast<uint8_t>(t >= 6 ? 16 : t == 2 || t == 3 || t == 5 ? lower : upper);
      config.row_bytes[t] = config.rows[t] ? 64 : 0;  // a tile without rows is one that is not used
    }
    asm volatile("ldtilecfg %0" ::"m"(config));
  }
  ~Tiles() { asm volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
};

template <int tile> void zero_tile() { asm volatile("tilezero %%tmm%c0" ::"i"(tile)); }
template <int tile> void load_tile(const void* from, int64_t stride) {  // bytes
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(tile) : "memory");
}
template <int tile> void store_tile(void* to, int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(tile) : "memory");
}
// sums [16, 16] += a [16, 32] b [32, 16]
template <int sums, int a, int b> void multiply_tiles() { asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(a), "i"(b)); }

#endif

}  // namespace
}  // namespace tapetum::kernels
