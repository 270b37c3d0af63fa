__shared__ float tile[kChannels * kThreads];
for (int k = 0; k < kChannels; ++k) {
  const int i = k * kThreads + thread;
  if (begin * kChannels + i < pixels * kChannels) tile[i] = x[begin * kChannels + i];
}
__syncthreads();
if (begin + thread >= pixels) return;
for (int k = 0; k < kChannels; ++k) y[k * pixels + begin + thread] = tile[thread * kChannels + k];
