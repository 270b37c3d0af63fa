// The library's: contiguous(transpose(x, 0, 1)) is a copy of any strides, which finds the transposes in it and makes them as step 5 does.
#include "kernels/elementwise.h"
#include "ladders/transpose/transpose.h"

namespace tapetum::ladders {
namespace {

cudaError_t launch(float* y, const float* x, int rows, int columns) {
  kernels::ElementwiseArgs copy{};
  copy.shape.ndim = 2;
  copy.shape.count = int64_t{rows} * columns;
  copy.shape.size[0] = columns, copy.shape.size[1] = rows;
  copy.shape.stride[0][0] = rows, copy.shape.stride[0][1] = 1;     // y
  copy.shape.stride[1][0] = 1, copy.shape.stride[1][1] = columns;  // x
  copy.compute = copy.dtype[0] = copy.dtype[1] = DType::f32;
  copy.y = y;
  copy.x[0] = x;
  return kernels::copy_forward.run({DeviceKind::cuda, nullptr}, copy) == kernels::Status::ok ? cudaSuccess : cudaErrorLaunchFailure;
}

const Transpose step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
