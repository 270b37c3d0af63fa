__shared__ float tile[kHigh + 2 * kRim][kWide + 2 * kRim];
for (int r = ty; r < kHigh + 2 * kRim; r += kHigh)
  for (int c = tx; c < kWide + 2 * kRim; c += kWide) {
    const int h = min(max(top + r - kRim, 0), height - 1), w = min(max(left + c - kRim, 0), width - 1);
    tile[r][c] = x[h * width + w];
  }
__syncthreads();
if (top + ty >= height || left + tx >= width) return;
const float centre = tile[ty + kRim][tx + kRim];
float sum = 0, weights = 0;
for (int r = 0; r <= 2 * kRim; ++r)
  for (int c = 0; c <= 2 * kRim; ++c) {
    const float pixel = tile[ty + r][tx + c], weight = expf(-(pixel - centre) * (pixel - centre) * kSharp);
    sum += weight * pixel;
    weights += weight;
  }
y[(top + ty) * width + left + tx] = sum / weights;
