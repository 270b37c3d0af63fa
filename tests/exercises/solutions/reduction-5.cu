__shared__ float totals[kWarps];
float sum = thread < length ? x[thread] : 0;
for (int d = 1; d < kWarp; d *= 2) {
  const float below = __shfl_up_sync(0xffffffff, sum, d);
  if (lane >= d) sum += below;
}
if (lane == kWarp - 1) totals[warp] = sum;
__syncthreads();
for (int w = 0; w < warp; ++w) sum += totals[w];
if (thread < length) y[thread] = sum;
