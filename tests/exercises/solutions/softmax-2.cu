__shared__ float values[kThreads];
__shared__ int places[kThreads];
float top = -INFINITY;
int place = 0;
for (int i = thread; i < length; i += kThreads) {
  if (x[i] <= top) continue;
  top = x[i];
  place = i;
}
values[thread] = top;
places[thread] = place;
__syncthreads();
for (int half = kThreads / 2; half; half /= 2) {
  if (thread < half && values[thread + half] > values[thread]) {
    values[thread] = values[thread + half];
    places[thread] = places[thread + half];
  }
  __syncthreads();
}
if (thread == 0) y[blockIdx.x] = static_cast<float>(places[0]);
