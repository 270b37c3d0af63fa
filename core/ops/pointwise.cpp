#include "core/ops/pointwise.h"

#include <fmt/core.h>

#include "core/autograd/apply.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

constexpr int kOperands = 1 + kernels::kMaxInputs;

// Dense operands of one shape are one line.
bool all_dense(const Tensor& y, TensorList inputs) {
  bool dense = y.is_contiguous();
  for (const Tensor& x : inputs) dense = dense && x.is_contiguous() && x.shape() == y.shape();
  return dense;
}

void fill_shape(kernels::ElementwiseArgs& args, const Tensor& y, TensorList inputs) {
  if (all_dense(y, inputs)) {
    args.shape.ndim = 1;
    args.shape.count = args.shape.size[0] = y.numel();
    for (size_t j = 0; j <= inputs.size(); ++j) args.shape.stride[j][0] = 1;
    return;
  }
  Shape strides[kOperands];
  strides[0] = y.strides();
  for (size_t j = 1; j < kOperands; ++j) strides[j] = j <= inputs.size() ? broadcast_strides(inputs[j - 1], y.shape()) : Shape(y.dim());
  args.shape = strided<kOperands>(y.shape(), {&strides[0], &strides[1], &strides[2], &strides[3]});
}

}  // namespace

void pointwise_into(const kernels::ElementwiseSlot& slot, Tensor& y, TensorList inputs, DType common, Scalars scalars) {
  kernels::ElementwiseArgs args;
  fill_shape(args, y, inputs);
  args.compute = compute_type(common);
  args.dtype[0] = y.dtype();
  args.y = y.mutable_raw();
  for (size_t j = 0; j < inputs.size(); ++j) {
    args.dtype[j + 1] = inputs[j].dtype();
    args.x[j] = inputs[j].raw();
  }
  args.scalar[0] = scalars.a;
  args.scalar[1] = scalars.b;
  launch(slot, y.device(), args.compute, args);
}

Tensor pointwise(const OpInfo& op, const kernels::ElementwiseSlot& slot, TensorList inputs, Result result, Scalars scalars) {
  const Tensor& first = inputs[0];
  const Shape* shape = &first.shape();
  Shape wide;
  for (size_t j = 1; j < inputs.size(); ++j) {
    check_device(op.name, first, inputs[j]);
    if (inputs[j].shape() == *shape) continue;
    wide = broadcast(op.name, *shape, inputs[j].shape());
    shape = &wide;
  }
  const Tensor* like = nullptr;
  for (const Tensor& x : inputs)
    if (!like && x.shape() == *shape) like = &x;
  DType common = inputs.size() == 1 ? first.dtype() : promote(inputs);
  if (result == Result::floating && !is_floating(common)) common = DType::f32;
  Tensor y = empty_strided(*shape, like ? dense_strides_like(*like) : contiguous_strides(*shape), result == Result::boolean ? DType::boolean : common,
                           first.device());
  pointwise_into(slot, y, inputs, common, scalars);
  return y;
}

Tensor scalar_like(Scalar s, const Tensor& x) {
  return full({}, s.value, is_floating(x.dtype()) ? x.dtype() : s.integral ? DType::i64 : DType::f32, x.device());
}

Tensor in_place_operand(const char* op, const Tensor& x, const Tensor& b) {
  check_device(op, x, b);
  if (!(broadcast(op, x.shape(), b.shape()) == x.shape()))
    throw ShapeError(fmt::format("{}_: {} does not broadcast to {}", op, to_string(b.shape()), to_string(x.shape())));
  begin_inplace(op, x, b);
  const bool same_elements = x.impl().offset == b.impl().offset && x.shape() == b.shape() && x.strides() == b.strides();
  return x.impl().storage.get() == b.impl().storage.get() && !same_elements ? clone(b) : b;
}

}  // namespace tapetum
