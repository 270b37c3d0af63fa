__shared__ float keys[kWidth][kTile], values[kWidth][kTile];
float query[kEach][kWidth], top[kEach], sum[kEach] = {}, out[kEach][kWidth] = {};
for (int e = 0; e < kEach; ++e) {
  const int i = begin + e * kThreads + thread;
  top[e] = -INFINITY;
  for (int c = 0; c < kWidth; ++c) query[e][c] = i < n ? q[c * n + i] : 0;
}
const int seen = begin < kWindow ? 0 : begin - kWindow + 1;  // the first key
for (int first = seen / kTile * kTile; first < begin + kQueries && first < n; first += kTile) {
  for (int at = thread; at < kWidth * kTile; at += kThreads) {
    const int c = at / kTile, j = at % kTile;
    keys[c][j] = first + j < n ? k[c * n + first + j] : 0;
    values[c][j] = first + j < n ? v[c * n + first + j] : 0;
  }
  __syncthreads();
  for (int j = 0; j < kTile; ++j) {
    float key[kWidth], value[kWidth];
    for (int c = 0; c < kWidth; ++c) key[c] = keys[c][j], value[c] = values[c][j];
    for (int e = 0; e < kEach; ++e) {
      const int before = begin + e * kThreads + thread - (first + j);
      if (before < 0 || before >= kWindow) continue;
      float score = 0;
      for (int c = 0; c < kWidth; ++c) score += query[e][c] * key[c];
      const float larger = fmaxf(top[e], score), scale = expf(top[e] - larger), weight = expf(score - larger);
      top[e] = larger;
      sum[e] = sum[e] * scale + weight;
      for (int c = 0; c < kWidth; ++c) out[e][c] = out[e][c] * scale + weight * value[c];
    }
  }
  __syncthreads();  // before the next tiles overwrite these
}
for (int e = 0; e < kEach; ++e)
  if (const int i = begin + e * kThreads + thread; i < n)
    for (int c = 0; c < kWidth; ++c) y[c * n + i] = out[e][c] / sum[e];
