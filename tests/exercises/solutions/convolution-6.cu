const int w = left + lane - kRim;
float rows[kTaps];  // the largest of five neighbours from w on, in the last five rows
for (float& row : rows) row = -INFINITY;
for (int h = top - kRim; h < top + kHigh + kRim; ++h) {
  const float pixel = h >= 0 && h < height && w >= 0 && w < width ? x[h * width + w] : -INFINITY;
  const float two = fmaxf(pixel, __shfl_down_sync(0xffffffff, pixel, 1));
  const float four = fmaxf(two, __shfl_down_sync(0xffffffff, two, 2));
  const float five = fmaxf(four, __shfl_down_sync(0xffffffff, four, 1));  // of fewer in the last lanes, which have no result
  for (int r = 0; r < kTaps - 1; ++r) rows[r] = rows[r + 1];
  rows[kTaps - 1] = five;
  float largest = rows[0];
  for (int r = 1; r < kTaps; ++r) largest = fmaxf(largest, rows[r]);
  const int to = h - kRim;
  if (to >= top && to < height && lane < kStrip && left + lane < width) y[to * width + left + lane] = largest;
}
