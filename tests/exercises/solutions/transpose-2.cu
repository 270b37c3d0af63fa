const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
if (i >= pixels * channels) return;
const int channel = i / pixels, pixel = i % pixels;
y[i] = x[pixel * channels + channel];
