if (column >= columns) return;
if (columns % 4 == 0) {
  const float4 v = *reinterpret_cast<const float4*>(x + column), turned{v.w, v.z, v.y, v.x};
  *reinterpret_cast<float4*>(y + columns - 4 - column) = turned;
  return;
}
for (int j = column; j < column + 4 && j < columns; ++j) y[columns - 1 - j] = x[j];
