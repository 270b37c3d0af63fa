if (set >= sets) return;
x += int64_t{set} * rows * kWidth + lane;
y += int64_t{set} * kWidth + lane;
const float query[2]{q[lane], q[lane + kWarp]};
float top = -INFINITY, sum = 0, out[2]{};  // the largest score so far, and the sums of exp(score - top) and of that times the rows
for (int i = 0; i < rows; ++i) {
  const float low = x[i * kWidth], high = x[i * kWidth + kWarp];
  float score = query[0] * low + query[1] * high;
  for (int bits = kWarp / 2; bits; bits /= 2) score += __shfl_xor_sync(0xffffffff, score, bits);
  const float larger = fmaxf(top, score), scale = expf(top - larger), weight = expf(score - larger);
  top = larger;
  sum = sum * scale + weight;
  out[0] = out[0] * scale + weight * low;
  out[1] = out[1] * scale + weight * high;
}
y[0] = out[0] / sum;
y[kWarp] = out[1] / sum;
