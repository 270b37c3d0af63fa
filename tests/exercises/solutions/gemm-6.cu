float sums[kRows][kVectors] = {};
if (k % 4 == 0) {
  for (int j = lane * 4; j < k; j += kWarp * 4) {
    float4 row[kRows];
    for (int r = 0; r < kRows; ++r) row[r] = first + r < m ? *reinterpret_cast<const float4*>(a + (first + r) * k + j) : float4{0, 0, 0, 0};
    for (int v = 0; v < kVectors; ++v) {
      const float4 u = *reinterpret_cast<const float4*>(x + v * k + j);
      for (int r = 0; r < kRows; ++r) sums[r][v] += row[r].x * u.x + row[r].y * u.y + row[r].z * u.z + row[r].w * u.w;
    }
  }
} else {
  for (int j = lane; j < k; j += kWarp)
    for (int r = 0; r < kRows && first + r < m; ++r)
      for (int v = 0; v < kVectors; ++v) sums[r][v] += a[(first + r) * k + j] * x[v * k + j];
}
for (int r = 0; r < kRows && first + r < m; ++r)
  for (int v = 0; v < kVectors; ++v) {
    float sum = sums[r][v];
    for (int bits = kWarp / 2; bits; bits /= 2) sum += __shfl_xor_sync(0xffffffff, sum, bits);
    if (lane == 0) y[v * m + first + r] = sum;
  }
