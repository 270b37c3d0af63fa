// Thin wrappers over PTX instructions: inline PTX under nvcc; the emulator does the same in C++, with the register layouts of the
// PTX ISA.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
// GPU_CALLER: a last parameter with the place of the call, for the emulator's messages.
#if defined(__CUDACC__)
#define GPU_CALLER
#define GPU_AND_CALLER
#else
#include "kernels/cuda/emulation/ptx.h"
#define GPU_CALLER ::tapetum::emulation::Loc at = ::tapetum::emulation::here()
#define GPU_AND_CALLER , GPU_CALLER
#endif

namespace ptx {

#if defined(__CUDACC__)
__device__ __forceinline__ uint32_t smem_addr(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
#else
namespace emulation = tapetum::emulation;
#endif

__device__ __forceinline__ unsigned lane_id() {
#if defined(__CUDACC__)
  unsigned r;
  asm("mov.u32 %0, %%laneid;" : "=r"(r));
  return r;
#else
  return emulation::thread_index() & 31u;
#endif
}

// The same address, in global memory, of which nvcc does not know how it was found: it would take one that began as an array of floats for no
// better aligned, and make four stores of one of 16 bytes.
template <class T> __device__ __forceinline__ T* as_typed(T* address) {
#if defined(__CUDACC__)
  asm("" : "+l"(address));
  __builtin_assume(__isGlobal(address));
#endif
  return address;
}

// ldmatrix: lanes 8i to 8i+7 give the rows (16 bytes each) of matrix i.
template <bool Trans = false> __device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], const void* row GPU_AND_CALLER) {
#if defined(__CUDACC__)
  if constexpr (Trans)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(smem_addr(row))
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(smem_addr(row))
                 : "memory");
#else
  emulation::ldmatrix(r, 4, Trans, row, at);
#endif
}
template <bool Trans = false> __device__ __forceinline__ void ldmatrix_x2(uint32_t (&r)[2], const void* row GPU_AND_CALLER) {
#if defined(__CUDACC__)
  if constexpr (Trans)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(smem_addr(row)) : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(smem_addr(row)) : "memory");
#else
  emulation::ldmatrix(r, 2, Trans, row, at);
#endif
}

// mma.sync: D += A B by one warp.
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] GPU_AND_CALLER) {
#if defined(__CUDACC__)
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulation::mma(emulation::Mma::m16n8k16_bf16, d, a, b, at);
#endif
}
__device__ __forceinline__ void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] GPU_AND_CALLER) {
#if defined(__CUDACC__)
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulation::mma(emulation::Mma::m16n8k16_f16, d, a, b, at);
#endif
}
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] GPU_AND_CALLER) {
#if defined(__CUDACC__)
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulation::mma(emulation::Mma::m16n8k8_tf32, d, a, b, at);
#endif
}
__device__ __forceinline__ void mma_m16n8k32_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] GPU_AND_CALLER) {
#if defined(__CUDACC__)
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulation::mma(emulation::Mma::m16n8k32_s8, d, a, b, at);
#endif
}
// Rounds to the nearest, ties away from zero.
__device__ __forceinline__ uint32_t cvt_tf32(float f) {
#if defined(__CUDACC__)
  uint32_t r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(f));
  return r;
#else
  return emulation::cvt_rna_tf32(f);
#endif
}
__device__ __forceinline__ float ex2(float f) {
#if defined(__CUDACC__)
  float r;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(f));
  return r;
#else
  return exp2f(f);
#endif
}
// Packs two floats into one register of 16-bit numbers, lo in the low half.
__device__ __forceinline__ uint32_t pack_bf16(float lo, float hi) {
#if defined(__CUDACC__)
  uint32_t r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  return r;
#else
  return emulation::pack_bf16(lo, hi);
#endif
}
__device__ __forceinline__ uint32_t pack_f16(float lo, float hi) {
#if defined(__CUDACC__)
  uint32_t r;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  return r;
#else
  return emulation::pack_f16(lo, hi);
#endif
}

// cp.async: copies from global to shared memory in the background; zeros after the first n bytes.
template <int Bytes> __device__ __forceinline__ void cp_async_part(void* smem, const void* gmem, int n GPU_AND_CALLER) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
#if defined(__CUDACC__)
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(smem_addr(smem)), "l"(gmem), "r"(n) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(smem_addr(smem)), "l"(gmem), "r"(n), "n"(Bytes) : "memory");
#else
  emulation::cp_async(smem, gmem, Bytes, n, at);
#endif
}
// All zeros where !valid.
template <int Bytes> __device__ __forceinline__ void cp_async(void* smem, const void* gmem, bool valid = true GPU_AND_CALLER) {
#if defined(__CUDACC__)
  cp_async_part<Bytes>(smem, gmem, valid ? Bytes : 0);
#else
  cp_async_part<Bytes>(smem, gmem, valid ? Bytes : 0, at);
#endif
}
__device__ __forceinline__ void cp_async_commit() {
#if defined(__CUDACC__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  emulation::cp_async_commit();
#endif
}
template <int N> __device__ __forceinline__ void cp_async_wait() {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#else
  emulation::cp_async_wait(N);
#endif
}

// Barriers 0 to 15, each for some warps of the block: sync arrives and waits, arrive goes on.
__device__ __forceinline__ void named_barrier_sync(unsigned id, unsigned nthreads GPU_AND_CALLER) {
#if defined(__CUDACC__)
  asm volatile("barrier.sync %0, %1;" ::"r"(id), "r"(nthreads) : "memory");
#else
  emulation::named_barrier(id, nthreads, true, at);
#endif
}
__device__ __forceinline__ void named_barrier_arrive(unsigned id, unsigned nthreads GPU_AND_CALLER) {
#if defined(__CUDACC__)
  asm volatile("barrier.arrive %0, %1;" ::"r"(id), "r"(nthreads) : "memory");
#else
  emulation::named_barrier(id, nthreads, false, at);
#endif
}

}  // namespace ptx
