__shared__ float sums[kThreads];
sums[thread] = i < n ? a[i] * b[i] : 0;
__syncthreads();
for (int half = kThreads / 2; half; half /= 2) {
  if (thread < half) sums[thread] += sums[thread + half];
  __syncthreads();
}
if (thread == 0) atomicAdd(y, sums[0]);
