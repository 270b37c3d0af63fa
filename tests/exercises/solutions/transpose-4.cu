__shared__ float tile[kTile][kTile + 1];
if (top + ty < rows && left + tx < columns) tile[ty][tx] = x[(top + ty) * columns + left + tx];
__syncthreads();
const int row = left + ty, column = rows - 1 - (top + tx);  // in y
if (row < columns && column >= 0) y[row * rows + column] = tile[tx][ty];
