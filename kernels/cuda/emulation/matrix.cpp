// ldmatrix and mma. Lane 4g + t of a warp holds the elements of row g (or column g of B) around column 2t, as the PTX ISA lays
// them out.
#include <bit>
#include <cstring>
#include "kernels/cuda/emulation/diagnostics.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/ptx.h"
#include "kernels/cuda/emulation/warp.h"

namespace tapetum::emulation {
namespace {

struct LoadMatrix {
  uint32_t* registers;
  const void* row;
  int count;
};

template <bool Transposed> void perform_ldmatrix(void* const* payload, uint32_t) {
  const auto lane = [&](int l) -> const LoadMatrix& { return *static_cast<const LoadMatrix*>(payload[l]); };
  for (int i = 0; i < lane(0).count; ++i) {
    uint16_t m[8][8];
    for (int r = 0; r < 8; ++r) std::memcpy(m[r], lane(8 * i + r).row, 16);
    for (int l = 0; l < 32; ++l) {
      const int g = l / 4, t = l % 4;
      const uint32_t low = Transposed ? m[2 * t][g] : m[g][2 * t], high = Transposed ? m[2 * t + 1][g] : m[g][2 * t + 1];
      lane(l).registers[i] = low | high << 16;
    }
  }
}

struct MultiplyAdd {
  void* d;
  const uint32_t *a, *b;
};
const MultiplyAdd& operands(void* const* payload, int lane) { return *static_cast<const MultiplyAdd*>(payload[lane]); }

using Row = float __attribute__((vector_size(32)));
union Rows16 {
  Row row[16];
  float at[16][8];
};

// D[16, 8] += A[16, K] B[K, 8], summed over k in order. Four rows at a time, to keep the vector units busy.
template <int K> void multiply_add(const float (&a)[16][K], const Row (&b)[K], void* const* payload) {
  Rows16 d;
  for (int l = 0; l < 32; ++l) {
    const float* registers = static_cast<const float*>(operands(payload, l).d);
    std::memcpy(&d.at[l / 4][l % 4 * 2], registers, 8);
    std::memcpy(&d.at[l / 4 + 8][l % 4 * 2], registers + 2, 8);
  }
  for (int i = 0; i < 16; i += 4) {
    Row d0 = d.row[i], d1 = d.row[i + 1], d2 = d.row[i + 2], d3 = d.row[i + 3];
    for (int k = 0; k < K; ++k) {
      d0 += a[i][k] * b[k];
      d1 += a[i + 1][k] * b[k];
      d2 += a[i + 2][k] * b[k];
      d3 += a[i + 3][k] * b[k];
    }
    d.row[i] = d0, d.row[i + 1] = d1, d.row[i + 2] = d2, d.row[i + 3] = d3;
  }
  for (int l = 0; l < 32; ++l) {
    auto* registers = static_cast<float*>(operands(payload, l).d);
    std::memcpy(registers, &d.at[l / 4][l % 4 * 2], 8);
    std::memcpy(registers + 2, &d.at[l / 4 + 8][l % 4 * 2], 8);
  }
}

// One of the two 16-bit numbers in a register.
float bf16_at(uint32_t r, int half) { return bf16_bits_to_float(static_cast<uint16_t>(r >> 16 * half)); }
float f16_at(uint32_t r, int half) { return half_bits_to_float(static_cast<uint16_t>(r >> 16 * half)); }

template <auto Read> void perform_mma_16bit(void* const* payload, uint32_t) {
  float a[16][16];
  Rows16 b;
  for (int l = 0; l < 32; ++l) {
    const int g = l / 4, t = l % 4;
    const MultiplyAdd& p = operands(payload, l);
    for (int h = 0; h < 2; ++h) {
      a[g][2 * t + h] = Read(p.a[0], h);
      a[g + 8][2 * t + h] = Read(p.a[1], h);
      a[g][2 * t + 8 + h] = Read(p.a[2], h);
      a[g + 8][2 * t + 8 + h] = Read(p.a[3], h);
      b.at[2 * t + h][g] = Read(p.b[0], h);
      b.at[2 * t + 8 + h][g] = Read(p.b[1], h);
    }
  }
  multiply_add<16>(a, b.row, payload);
}

float tf32(uint32_t bits) { return std::bit_cast<float>(bits & 0xffffe000u); }  // hardware ignores the low 13 bits

void perform_mma_tf32(void* const* payload, uint32_t) {
  float a[16][8];
  union {
    Row row[8];
    float at[8][8];
  } b;
  for (int l = 0; l < 32; ++l) {
    const int g = l / 4, t = l % 4;
    const MultiplyAdd& p = operands(payload, l);
    a[g][t] = tf32(p.a[0]);
    a[g + 8][t] = tf32(p.a[1]);
    a[g][t + 4] = tf32(p.a[2]);
    a[g + 8][t + 4] = tf32(p.a[3]);
    b.at[t][g] = tf32(p.b[0]);
    b.at[t + 4][g] = tf32(p.b[1]);
  }
  multiply_add<8>(a, b.row, payload);
}

int s8_at(uint32_t r, int i) { return static_cast<int8_t>(r >> 8 * i); }

void perform_mma_s8(void* const* payload, uint32_t) {
  int a[16][32], b[32][8];
  for (int l = 0; l < 32; ++l) {
    const int g = l / 4, t = l % 4;
    const MultiplyAdd& p = operands(payload, l);
    for (int i = 0; i < 4; ++i) {
      a[g][4 * t + i] = s8_at(p.a[0], i);
      a[g + 8][4 * t + i] = s8_at(p.a[1], i);
      a[g][4 * t + 16 + i] = s8_at(p.a[2], i);
      a[g + 8][4 * t + 16 + i] = s8_at(p.a[3], i);
      b[4 * t + i][g] = s8_at(p.b[0], i);
      b[4 * t + 16 + i][g] = s8_at(p.b[1], i);
    }
  }
  for (int l = 0; l < 32; ++l) {
    int* d = static_cast<int*>(operands(payload, l).d);
    for (int q = 0; q < 4; ++q)
      for (int k = 0; k < 32; ++k) d[q] += a[l / 4 + q / 2 * 8][k] * b[k][l % 4 * 2 + q % 2];
  }
}

uint64_t flops_of(Mma kind) {
  constexpr int m = 16, n = 8;
  const int k = kind == Mma::m16n8k8_tf32 ? 8 : kind == Mma::m16n8k32_s8 ? 32 : 16;
  return static_cast<uint64_t>(2 * m * n * k);
}

Perform performer_of(Mma kind) {
  switch (kind) {
    case Mma::m16n8k16_bf16:
      return perform_mma_16bit<bf16_at>;
    case Mma::m16n8k16_f16:
      return perform_mma_16bit<f16_at>;
    case Mma::m16n8k8_tf32:
      return perform_mma_tf32;
    case Mma::m16n8k32_s8:
      return perform_mma_s8;
  }
  return nullptr;
}

}  // namespace

void ldmatrix(uint32_t* registers, int count, bool transposed, const void* row, Loc at) {
  Block& b = block();
  if (static_cast<int>(b.current % kLanes) < 8 * count) {  // the other lanes' addresses are not used
    if (reinterpret_cast<uintptr_t>(row) % 16) fail(b, "ldmatrix {}: row address not 16-byte aligned", at);
    note_read(row, 16);
    profile::access(profile::Kind::ldmatrix, TAPETUM_EMULATION_CALLER, row, 16);
  }
  LoadMatrix p{registers, row, count};
  collective(b, Op::ldmatrix, ~0u, &p, transposed ? perform_ldmatrix<true> : perform_ldmatrix<false>, true, at);
}

void mma(Mma kind, void* d, const uint32_t* a, const uint32_t* b, Loc at) {
  profile::operation(profile::Kind::mma, TAPETUM_EMULATION_CALLER, 0, flops_of(kind));
  MultiplyAdd p{d, a, b};
  collective(block(), Op::mma, ~0u, &p, performer_of(kind), true, at);
}

}  // namespace tapetum::emulation
