// What the wrappers of gpu/ptx.cuh do in place of their PTX.
#pragma once
#include <bit>
#include <cstdint>
#include "kernels/cuda/emulation/half.h"
#include "kernels/cuda/emulation/location.h"

namespace tapetum::emulation {

enum class Mma { m16n8k16_bf16, m16n8k16_f16, m16n8k8_tf32, m16n8k32_s8 };
void ldmatrix(uint32_t* r, int n, bool trans, const void* row, Loc at);
void mma(Mma kind, void* d, const uint32_t* a, const uint32_t* b, Loc at);
void cp_async(void* dst, const void* src, int bytes, int src_bytes, Loc at);
void cp_async_commit();
void cp_async_wait(int n);
inline uint32_t cvt_rna_tf32(float f) {
  const uint32_t u = std::bit_cast<uint32_t>(f);
  if ((u & 0x7f800000u) == 0x7f800000u) return u & 0xffffe000u;
  return (u + 0x1000u) & 0xffffe000u;
}
inline uint32_t pack_bf16(float lo, float hi) {
  const __nv_bfloat16 l = __float2bfloat16(lo), h = __float2bfloat16(hi);
  return uint32_t(__bfloat16_as_ushort(l)) | (uint32_t(__bfloat16_as_ushort(h)) << 16);
}
inline uint32_t pack_f16(float lo, float hi) { return uint32_t{float_to_half_bits(lo)} | uint32_t{float_to_half_bits(hi)} << 16; }

}  // namespace tapetum::emulation
