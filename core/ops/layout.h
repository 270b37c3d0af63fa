// Which memory layout an image op's result has: one rule for convolution, pooling, normalisation and resizing.
#pragma once
#include "core/tensor.h"

namespace tapetum {

// Whether image ops give channels_last for 4-D results of at least 4 channels even when no input is. On by default: kernels are fastest so.
bool prefer_channels_last();
void set_prefer_channels_last(bool on);

// An uninitialised result: channels_last when a 4-D input is, or when it is preferred and has at least 4 channels; else row-major.
Tensor empty_image(const Shape& shape, DType dtype, Device device, TensorList inputs);

// x as the fastest kernels read it: a copy where x is row-major. (The three channels of a photograph too: a patch is then a few long pieces.)
Tensor as_image(const Tensor& x);

}  // namespace tapetum
