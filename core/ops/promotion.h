// Which dtype a result has when its inputs differ: one rule for all ops (PyTorch's).
#pragma once
#include "core/tensor.h"

namespace tapetum {

// The smallest type that holds both: bool < u8, i8 < i32 < i64 < f16, bf16 < f32 < f64; u8 with i8 gives i32 (PyTorch: i16), f16 with bf16 f32.
DType promote(DType a, DType b);
// Over several tensors. A tensor without dimensions widens the result only where it is of a greater category (bool < integer < floating).
DType promote(TensorList tensors);
// What kernels compute in for values of type t: f64, f32 (the 16-bit types too) or i64.
DType compute_type(DType t);
// What the kernels of x's device read and write for floating-point values like x's: on the CPU what they compute in, on CUDA any such type
// as it is (read once, computed in f32, rounded once).
DType kernel_type(const Tensor& x);
Tensor to_or_none(const Tensor& x, DType t);  // undefined where x is

}  // namespace tapetum
