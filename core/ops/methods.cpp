// The operations that are methods too.
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"
#include "core/ops/view.h"

namespace tapetum {

Tensor Tensor::sum(const Shape& dims, bool keepdim) const { return tapetum::sum(*this, dims, keepdim); }
Tensor Tensor::mean(const Shape& dims, bool keepdim) const { return tapetum::mean(*this, dims, keepdim); }
Tensor Tensor::argmax(int dim) const { return tapetum::argmax(*this, dim); }
Tensor Tensor::view(const Shape& shape) const { return tapetum::view(*this, shape); }
Tensor Tensor::reshape(const Shape& shape) const { return tapetum::reshape(*this, shape); }
Tensor Tensor::flatten(int start, int end) const { return tapetum::flatten(*this, start, end); }
Tensor Tensor::squeeze(int dim) const { return tapetum::squeeze(*this, dim); }
Tensor Tensor::unsqueeze(int dim) const { return tapetum::unsqueeze(*this, dim); }
Tensor Tensor::permute(const Shape& order) const { return tapetum::permute(*this, order); }
Tensor Tensor::transpose(int a, int b) const { return tapetum::transpose(*this, a, b); }
Tensor Tensor::contiguous() const { return tapetum::contiguous(*this); }
Tensor Tensor::clone() const { return tapetum::clone(*this); }
Tensor Tensor::to(Device device, bool non_blocking) const { return tapetum::to(*this, device, non_blocking); }
Tensor Tensor::to(DType dtype) const { return tapetum::to(*this, dtype); }
Tensor& Tensor::add_(const Tensor& b) { return tapetum::add_(*this, b), *this; }
Tensor& Tensor::sub_(const Tensor& b) { return tapetum::sub_(*this, b), *this; }
Tensor& Tensor::mul_(const Tensor& b) { return tapetum::mul_(*this, b), *this; }
Tensor& Tensor::copy_(const Tensor& from) { return tapetum::copy_(*this, from), *this; }
Tensor& Tensor::fill_(double value) { return tapetum::fill_(*this, value), *this; }
Tensor& Tensor::zero_() { return fill_(0); }

}  // namespace tapetum
