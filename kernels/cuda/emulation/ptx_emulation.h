// Emulated bodies of the ptx:: wrappers (emulation.cpp, hopper.cpp).
#pragma once
#include "device.h"
#include "runtime.h"

namespace emu {
enum class Mma { m16n8k16_bf16, m16n8k16_f16, m16n8k8_tf32, m16n8k32_s8 };
void ldmatrix(uint32_t* r, int n, bool trans, const void* row, Loc loc);
void mma(Mma kind, void* d, const uint32_t* a, const uint32_t* b, Loc loc);
void cp_async(void* dst, const void* src, int bytes, int src_bytes, Loc loc);
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

// ---- Hopper (hopper.cpp) ----
struct alignas(64) TensorMap {  // stands in for CUtensorMap (128 bytes)
  const char* base;
  uint64_t rows, cols, row_stride;
  uint32_t box_rows, box_cols, elem, swizzle;
  uint64_t magic;
  char pad[128 - 56];
};
cudaError_t make_tensor_map_2d(TensorMap* m, const void* base, int elem, uint64_t rows, uint64_t cols, uint64_t row_stride, uint32_t box_rows, uint32_t box_cols, int swizzle);
void mbarrier_init(uint64_t* bar, unsigned count, Loc loc);
void mbarrier_arrive(uint64_t* bar, unsigned expect_tx, Loc loc);
void mbarrier_wait(uint64_t* bar, unsigned parity, Loc loc);
void fence_proxy_async();
void tma_load_2d(void* smem, const TensorMap* map, int col, int row, uint64_t* bar, Loc loc);
uint64_t smem_addr(const void* p, Loc loc);   // 18-bit shared-window address of dynamic shared memory
void wgmma(float* d, int n, uint64_t a, uint64_t b, bool trans_b, bool accumulate, Loc loc);
void wgmma_commit(Loc loc);
void wgmma_wait(int n, Loc loc);
}  // namespace emu
