__shared__ float as[kTile][kTile], bs[kTile][kTile + 1];
const int i = top + ty, j = left + tx;
float sum = 0;
for (int first = 0; first < k; first += kTile) {
  as[ty][tx] = i < m && first + tx < k ? a[i * k + first + tx] : 0;
  bs[ty][tx] = left + ty < n && first + tx < k ? b[(left + ty) * k + first + tx] : 0;
  __syncthreads();
  for (int l = 0; l < kTile; ++l) sum += (as[ty][l] - bs[tx][l]) * (as[ty][l] - bs[tx][l]);
  __syncthreads();  // before the next tiles overwrite these
}
if (i < m && j < n) y[i * n + j] = sum;
