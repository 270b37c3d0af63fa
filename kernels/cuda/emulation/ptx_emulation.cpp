// Warp-collective PTX operations with the fragment layouts of the PTX ISA.
#include "block.h"
#include <cstring>
#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace emu {
namespace {
struct LdPayload { uint32_t* r; const void* row; int n; bool trans; };

template <bool Trans> void perform_ldmatrix(void* const* payload, uint32_t) {
  const int n = static_cast<LdPayload*>(payload[0])->n;
  for (int i = 0; i < n; ++i) {
    uint16_t m[8][8];
    for (int r = 0; r < 8; ++r) __builtin_memcpy(m[r], static_cast<LdPayload*>(payload[8 * i + r])->row, 16);
    for (int l = 0; l < 32; ++l) {
      const int g = l >> 2, t = l & 3;
      const uint32_t lo = Trans ? m[2 * t][g] : m[g][2 * t], hi = Trans ? m[2 * t + 1][g] : m[g][2 * t + 1];
      static_cast<LdPayload*>(payload[l])->r[i] = lo | (hi << 16);
    }
  }
}

struct MmaPayload { void* d; const uint32_t *a, *b; };
using V8 = float __attribute__((vector_size(32)));

// Four registers of two 16-bit values each, widened to eight floats in register order.
struct Bf16 {
  static void widen(const uint32_t* r, float* f, int n) {
    for (int i = 0; i < n; ++i) { f[2 * i] = std::bit_cast<float>(r[i] << 16); f[2 * i + 1] = std::bit_cast<float>(r[i] & 0xffff0000u); }
  }
};
struct F16 {
  static void widen(const uint32_t* r, float* f, int n) {
#if defined(__F16C__)
    if (n == 4) { _mm256_storeu_ps(f, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(r)))); return; }
    _mm_storeu_ps(f, _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(r))));
#else
    for (int i = 0; i < n; ++i) for (int h = 0; h < 2; ++h) {
      const auto u = static_cast<unsigned short>(r[i] >> (16 * h));
#if defined(CUDAEMU_USE_CUDA_HEADERS)
      __half_raw x; x.x = u; f[2 * i + h] = __half2float(__half(x));
#else
      f[2 * i + h] = half_bits_to_float(u);
#endif
    }
#endif
  }
};

template <int K> void mma_core(const float (&A)[16][K], const V8 (&B)[K], void* const* payload) {
  union { V8 v[16]; float f[16][8]; } D;
  for (int l = 0; l < 32; ++l) {
    const int g = l >> 2, t = l & 3;
    const float* d = static_cast<const float*>(static_cast<MmaPayload*>(payload[l])->d);
    __builtin_memcpy(&D.f[g][2 * t], d, 8);
    __builtin_memcpy(&D.f[g + 8][2 * t], d + 2, 8);
  }
  for (int i = 0; i < 16; i += 4) {
    V8 a0 = D.v[i], a1 = D.v[i + 1], a2 = D.v[i + 2], a3 = D.v[i + 3];
    for (int k = 0; k < K; ++k) {
      a0 += A[i][k] * B[k];
      a1 += A[i + 1][k] * B[k];
      a2 += A[i + 2][k] * B[k];
      a3 += A[i + 3][k] * B[k];
    }
    D.v[i] = a0; D.v[i + 1] = a1; D.v[i + 2] = a2; D.v[i + 3] = a3;
  }
  for (int l = 0; l < 32; ++l) {
    const int g = l >> 2, t = l & 3;
    float* d = static_cast<float*>(static_cast<MmaPayload*>(payload[l])->d);
    __builtin_memcpy(d, &D.f[g][2 * t], 8);
    __builtin_memcpy(d + 2, &D.f[g + 8][2 * t], 8);
  }
}
template <class C> void perform_mma16(void* const* payload, uint32_t) {
  float A[16][16];
  union { V8 v[16]; float f[16][8]; } B;
  for (int l = 0; l < 32; ++l) {
    const int g = l >> 2, t = l & 3;
    const auto& p = *static_cast<MmaPayload*>(payload[l]);
    float f[8], h[4];
    C::widen(p.a, f, 4);
    C::widen(p.b, h, 2);
    __builtin_memcpy(&A[g][2 * t], f, 8);
    __builtin_memcpy(&A[g + 8][2 * t], f + 2, 8);
    __builtin_memcpy(&A[g][2 * t + 8], f + 4, 8);
    __builtin_memcpy(&A[g + 8][2 * t + 8], f + 6, 8);
    B.f[2 * t][g] = h[0]; B.f[2 * t + 1][g] = h[1]; B.f[2 * t + 8][g] = h[2]; B.f[2 * t + 9][g] = h[3];
  }
  mma_core<16>(A, B.v, payload);
}
void perform_mma_tf32(void* const* payload, uint32_t) {
  float A[16][8];
  union { V8 v[8]; float f[8][8]; } B;
  const auto tf = [](uint32_t u) { return std::bit_cast<float>(u & 0xffffe000u); };  // hardware ignores the low 13 bits
  for (int l = 0; l < 32; ++l) {
    const int g = l >> 2, t = l & 3;
    const auto& p = *static_cast<MmaPayload*>(payload[l]);
    A[g][t] = tf(p.a[0]); A[g + 8][t] = tf(p.a[1]); A[g][t + 4] = tf(p.a[2]); A[g + 8][t + 4] = tf(p.a[3]);
    B.f[t][g] = tf(p.b[0]); B.f[t + 4][g] = tf(p.b[1]);
  }
  mma_core<8>(A, B.v, payload);
}
void perform_mma_s8(void* const* payload, uint32_t) {
  int A[16][32], B[32][8];
  const auto put = [](int* dst, int stride, uint32_t u) { for (int i = 0; i < 4; ++i) dst[i * stride] = static_cast<int8_t>(u >> (8 * i)); };
  for (int l = 0; l < 32; ++l) {
    const int g = l >> 2, t = l & 3;
    const auto& p = *static_cast<MmaPayload*>(payload[l]);
    put(&A[g][4 * t], 1, p.a[0]); put(&A[g + 8][4 * t], 1, p.a[1]); put(&A[g][4 * t + 16], 1, p.a[2]); put(&A[g + 8][4 * t + 16], 1, p.a[3]);
    put(&B[4 * t][g], 8, p.b[0]); put(&B[4 * t + 16][g], 8, p.b[1]);
  }
  for (int l = 0; l < 32; ++l) {
    const int g = l >> 2, t = l & 3;
    int* d = static_cast<int*>(static_cast<MmaPayload*>(payload[l])->d);
    for (int q = 0; q < 4; ++q) for (int k = 0; k < 32; ++k) d[q] += A[g + (q >> 1) * 8][k] * B[k][2 * t + (q & 1)];
  }
}
}  // namespace

void ldmatrix(uint32_t* r, int n, bool trans, const void* row, Loc loc) {
  Block& b = block();
  if (static_cast<int>(b.cur & 31) < 8 * n) {
    if (reinterpret_cast<uintptr_t>(row) & 15) fail(b, "ldmatrix " + describe(loc) + ": row address not 16-byte aligned");
    note_read(row, 16);
  }
  LdPayload p{r, row, n, trans};
  collective(b, Op::ldmatrix, ~0u, &p, trans ? perform_ldmatrix<true> : perform_ldmatrix<false>, true, loc);
}
void mma(Mma kind, void* d, const uint32_t* a, const uint32_t* bb, Loc loc) {
  MmaPayload p{d, a, bb};
  Perform f = kind == Mma::m16n8k16_bf16 ? perform_mma16<Bf16> : kind == Mma::m16n8k16_f16 ? perform_mma16<F16> : kind == Mma::m16n8k8_tf32 ? perform_mma_tf32 : perform_mma_s8;
  collective(block(), Op::mma, ~0u, &p, f, true, loc);
}

// ---- cp.async ---------------------------------------------------------------------------------
// In lazy mode the destination holds NaN until the latest point at which PTX lets the data arrive.
static void complete(const AsyncCopy& c) {
  std::memcpy(c.dst, c.src, static_cast<size_t>(c.src_bytes));
  std::memset(static_cast<char*>(c.dst) + c.src_bytes, 0, static_cast<size_t>(c.bytes - c.src_bytes));
}
void cp_async(void* dst, const void* src, int bytes, int src_bytes, Loc loc) {
  Block& b = block();
  if ((reinterpret_cast<uintptr_t>(dst) | (src_bytes ? reinterpret_cast<uintptr_t>(src) : 0)) & static_cast<unsigned>(bytes - 1)) fail(b, "cp.async " + describe(loc) + ": address not aligned to " + std::to_string(bytes) + " bytes");
  const AsyncCopy c{dst, src, bytes, src_bytes, 0};
  if (!config().lazy_async) { complete(c); return; }
  AsyncCopies*& q = b.threads[b.cur].copies;
  if (!q) q = new AsyncCopies;
  b.copies_used = true;
  if (src_bytes) note_read(src, static_cast<size_t>(src_bytes));
  std::memset(dst, 0xff, static_cast<size_t>(bytes));
  q->pending.push_back(c);
  q->pending.back().group = q->group;
}
void cp_async_commit() {
  Block& b = block();
  if (AsyncCopies* q = b.threads[b.cur].copies) ++q->group;
}
void cp_async_wait(int n) {
  Block& b = block();
  AsyncCopies* q = b.threads[b.cur].copies;
  if (!q) return;
  size_t done = 0;
  while (done < q->pending.size() && q->pending[done].group + static_cast<unsigned>(n) < q->group) complete(q->pending[done++]);
  q->pending.erase(q->pending.begin(), q->pending.begin() + static_cast<std::ptrdiff_t>(done));
}
}  // namespace emu
