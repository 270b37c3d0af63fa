// What the wrappers of gpu/hopper.cuh do in place of their PTX.
#pragma once
#include <cstdint>
#include "kernels/cuda/emulation/location.h"
#include "kernels/cuda/emulation/runtime.h"

namespace tapetum::emulation {

// Stands in for CUtensorMap, with its size and alignment.
struct alignas(64) TensorMap {
  static constexpr int kDims = 4;
  const char* base;
  uint64_t sizes[kDims], strides[kDims];  // in elements, in bytes; the first dimension is dense, those that a tensor lacks have one element
  uint32_t box[kDims], elem, swizzle;
  uint32_t magic, dims;
};
static_assert(sizeof(TensorMap) == 128);
cudaError_t make_tensor_map(TensorMap* m, const void* base, int elem, int dims, const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                            int swizzle);
void mbarrier_init(uint64_t* bar, unsigned count, Loc at);
void mbarrier_fence_init();
void mbarrier_arrive(uint64_t* bar, unsigned expect_tx, Loc at);
void mbarrier_wait(uint64_t* bar, unsigned parity, Loc at);
void fence_proxy_async();
void tma_load(void* smem, const TensorMap* map, int dims, const int* first, uint64_t* bar, Loc at);
uint64_t smem_addr(const void* p, Loc at);  // 18-bit shared-window address of dynamic shared memory
struct Wgmma {
  int n;
  bool f16, trans_a, trans_b;  // bf16 otherwise; trans: stored along M or N
};
void wgmma(const Wgmma& kind, float* d, uint64_t a, uint64_t b, bool accumulate, Loc at);
void wgmma(const Wgmma& kind, float* d, const uint32_t (&a)[4], uint64_t b, bool accumulate, Loc at);  // a in registers, as of mma.m16n8k16
void wgmma_fence(Loc at);
void wgmma_commit(Loc at);
void wgmma_wait(int n, Loc at);

}  // namespace tapetum::emulation
