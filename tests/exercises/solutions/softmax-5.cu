float top = -INFINITY, sum = 0;  // the largest so far, and the sum of exp(value - top)
for (int i = lane; i < length; i += kWarp) {
  const float value = x[i], larger = fmaxf(top, value);
  sum = sum * expf(top - larger) + expf(value - larger);
  top = larger;
}
for (int bits = kWarp / 2; bits; bits /= 2) {
  const float other_top = __shfl_xor_sync(0xffffffff, top, bits), other_sum = __shfl_xor_sync(0xffffffff, sum, bits);
  const float larger = fmaxf(top, other_top);
  if (larger > -INFINITY) sum = sum * expf(top - larger) + other_sum * expf(other_top - larger);
  top = larger;
}
if (lane == 0) y[row] = top + logf(sum);
