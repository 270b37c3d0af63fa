// How elementwise ops call their kernels: broadcasting, promotion, the result's dtype and strides. For the ops' own files.
#pragma once
#include "core/autograd/apply.h"
#include "core/ops/launch.h"
#include "core/scalar.h"
#include "kernels/elementwise.h"

namespace tapetum {

// The result's dtype: the inputs' common one, the same with integers made f32, or bool.
enum class Result { common, floating, boolean };

struct Scalars {
  double a = 0, b = 0;
};

// A new tensor. It keeps the strides of the first input that is not broadcast.
Tensor pointwise(const OpInfo& op, const kernels::ElementwiseSlot& slot, TensorList inputs, Result result = Result::common, Scalars scalars = {});
// Into y: inputs broadcast to its shape, values are converted to its dtype.
void pointwise_into(const kernels::ElementwiseSlot& slot, Tensor& y, TensorList inputs, DType common, Scalars scalars = {});

// A tensor without dimensions that promotes with x as the number does: x's dtype, or i64 or f32 where the number is of a greater category.
Tensor scalar_like(Scalar s, const Tensor& x);

// The right side of op_(x, b): checked against x, and copied where it reads elements in another order than x writes them. Bumps x's version.
Tensor in_place_operand(const char* op, const Tensor& x, const Tensor& b);

}  // namespace tapetum
