// CUDA's keywords and built-in variables.
#pragma once
#include "kernels/cuda/emulation/vector_types.h"

#if defined(TAPETUM_EMULATION_PROFILED)
// -fsanitize=thread is only the instrumentation that the profiler hears (profile/callbacks.cpp).
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TAPETUM_EMULATION_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TAPETUM_EMULATION_SANITIZED 1
#endif
#endif

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))

// A block never leaves its OS thread, so a thread_local variable of a function is storage of the block. A sanitized build runs
// one block at a time and uses plain statics, since only those get redzones.
#if defined(TAPETUM_EMULATION_SANITIZED)
#define __shared__ static
#else
#define __shared__ thread_local
#endif

// One instruction to reach in an executable and in a library that is loaded at the start of the program.
#define TAPETUM_EMULATION_TLS __attribute__((tls_model("initial-exec")))
extern __thread uint3 threadIdx TAPETUM_EMULATION_TLS;
extern __thread uint3 blockIdx TAPETUM_EMULATION_TLS;
extern __thread dim3 blockDim TAPETUM_EMULATION_TLS;
extern __thread dim3 gridDim TAPETUM_EMULATION_TLS;
inline constexpr int warpSize = 32;
