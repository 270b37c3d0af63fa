// What the wrappers of gpu/hopper.cuh do in place of their PTX.
#pragma once
#include <cstdint>
#include "kernels/cuda/emulation/location.h"
#include "kernels/cuda/emulation/runtime.h"

namespace tapetum::emulation {

// Stands in for CUtensorMap, with its size and alignment.
struct alignas(64) TensorMap {
  const char* base;
  uint64_t rows, cols, row_stride;
  uint32_t box_rows, box_cols, elem, swizzle;
  uint64_t magic;
  char pad[128 - 56];
};
cudaError_t make_tensor_map_2d(TensorMap* m, const void* base, int elem, uint64_t rows, uint64_t cols, uint64_t row_stride, uint32_t box_rows,
                               uint32_t box_cols, int swizzle);
void mbarrier_init(uint64_t* bar, unsigned count, Loc at);
void mbarrier_arrive(uint64_t* bar, unsigned expect_tx, Loc at);
void mbarrier_wait(uint64_t* bar, unsigned parity, Loc at);
void fence_proxy_async();
void tma_load_2d(void* smem, const TensorMap* map, int col, int row, uint64_t* bar, Loc at);
uint64_t smem_addr(const void* p, Loc at);  // 18-bit shared-window address of dynamic shared memory
struct Wgmma {
  int n;
  bool f16, trans_a, trans_b;  // bf16 otherwise; trans: stored along M or N
};
void wgmma(const Wgmma& kind, float* d, uint64_t a, uint64_t b, bool accumulate, Loc at);
void wgmma_commit(Loc at);
void wgmma_wait(int n, Loc at);

}  // namespace tapetum::emulation
