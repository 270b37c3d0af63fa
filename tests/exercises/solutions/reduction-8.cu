__shared__ float values[kWarps];
float top = -INFINITY;
for (int k = 0; k < kEach; ++k) {
  const int i = begin + k * kThreads + thread;
  if (i < n) top = fmaxf(top, x[i]);
}
for (int bits = kWarp / 2; bits; bits /= 2) top = fmaxf(top, __shfl_xor_sync(0xffffffff, top, bits));
if (thread % kWarp == 0) values[thread / kWarp] = top;
__syncthreads();
if (thread >= kWarp) return;
top = values[thread % kWarps];
for (int bits = kWarps / 2; bits; bits /= 2) top = fmaxf(top, __shfl_xor_sync(0xffffffff, top, bits));
if (thread == 0) out[blockIdx.x] = top;
