__shared__ int bins[kBins];
for (int b = thread; b < kBins; b += kThreads) bins[b] = 0;
__syncthreads();
for (int k = 0; k < kEach; ++k) {
  const int i = begin + k * kThreads + thread;
  if (i < n) atomicAdd(&bins[static_cast<int>(x[i])], 1);
}
__syncthreads();
for (int b = thread; b < kBins; b += kThreads) atomicAdd(&y[b], static_cast<float>(bins[b]));
