// Inner loops over pixels that the compiler makes for AVX2, too; the processor's is chosen when the program starts. All of them compute
// the same bits: whole numbers, or floats without contraction. Sanitizers do not bear the choice at start-up, other compilers have one version.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TAPETUM_PIXEL_LOOP __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define TAPETUM_PIXEL_LOOP
#endif
