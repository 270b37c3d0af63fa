#include "core/tensor.h"

#include <fmt/format.h>

#include <cstring>

#include "core/error.h"
#include "core/capture.h"
#include "core/faults.h"
#include "kernels/device.h"

namespace tapetum {

void Shape::push_back(int64_t n) {
  if (size_ == kMaxDims) throw ShapeError(fmt::format("shape: at most {} dimensions", kMaxDims));
  dim_[size_++] = n;
}

Shape contiguous_strides(const Shape& shape) {
  Shape s(shape.size());
  int64_t step = 1;
  for (int d = shape.size() - 1; d >= 0; --d) {
    s[d] = step;
    step *= shape[d] > 0 ? shape[d] : 1;
  }
  return s;
}

Shape channels_last_strides(const Shape& s) { return {s[1] * s[2] * s[3], 1, s[3] * s[1], s[1]}; }

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

bool Tensor::is_channels_last() const {
  if (dim() != 4 || size(1) == 1 || (size(2) == 1 && size(3) == 1)) return false;
  const Shape want = channels_last_strides(shape());
  for (int d = 0; d < 4; ++d)
    if (size(d) > 1 && strides()[d] != want[d]) return false;
  return true;
}

void Tensor::check_readable(DType wanted) const {
  if (wanted != dtype()) throw DTypeError(fmt::format("data: tensor is {}, asked for {}", name_of(dtype()), name_of(wanted)));
  if (device().kind != DeviceKind::cpu) throw DeviceError("data: tensor is not on the cpu; use to(x, Device(\"cpu\"))");
  if (!is_contiguous()) throw ShapeError("data: tensor is not contiguous; use contiguous(x)");
}

void Tensor::throw_out_of_range(int d) const {
  throw ShapeError(fmt::format("size: dimension {} is out of range for shape {}", d, to_string(shape())));
}

Tensor& Tensor::set_requires_grad(bool on) {
  if (on && !is_floating(dtype()))
    throw DTypeError(fmt::format("set_requires_grad: only floating-point tensors have gradients, got {}", name_of(dtype())));
  if (impl_->grad_fn && !on) throw AutogradError("set_requires_grad: the tensor is the result of a recorded operation; use detach()");
  if (!impl_->grad_fn) impl_->requires_grad = on;
  return *this;
}

double Tensor::item() const {
  if (numel() != 1) throw ShapeError(fmt::format("item: expected one element, got shape {}", to_string(shape())));
  if (device().kind == DeviceKind::meta) throw DeviceError("item: a tensor on 'meta' has no values");
  double bits = 0;
  if (device().kind == DeviceKind::cuda) refuse_capture("item", "the value is not known");
  const auto& api = device_of(device());
  check_call(api, "item", api.copy(&bits, raw(), size_of(dtype()), kernels::CopyKind::to_host, true));
  throw_faults(device());
  return with_type(dtype(), [&]<class T>() -> double {
    T x;
    std::memcpy(&x, &bits, sizeof x);
    return cast<double>(x);
  });
}

Tensor Tensor::detach() const { return view_of(*this, shape(), strides(), impl_->offset); }

namespace {
bool is_dense(const Shape& shape, const Shape& strides) {
  int64_t step = 1;
  for (int d = shape.size() - 1; d >= 0; --d) {
    if (shape[d] == 0) return true;
    if (shape[d] != 1 && strides[d] != step) return false;
    step *= shape[d];
  }
  return true;
}
// Strides of dimensions of size 1, and of empty tensors, are canonical: layout rules and kernels need not look past them.
void set_layout(TensorImpl& impl, const Shape& shape, const Shape& strides) {
  impl.shape = shape;
  impl.dense = is_dense(shape, strides);
  impl.strides = impl.dense ? contiguous_strides(shape) : strides;
}
}  // namespace

Tensor tensor_on(Ref<Storage> storage, const Shape& shape, const Shape& strides, DType dtype) {
  auto impl = make_ref<TensorImpl>();
  impl->storage = std::move(storage);
  set_layout(*impl, shape, strides);
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor empty_strided(const Shape& shape, const Shape& strides, DType dtype, Device device) {
  return tensor_on(make_ref<Storage>(static_cast<size_t>(shape.numel()) * size_of(dtype), device), shape, strides, dtype);
}

Tensor empty(const Shape& shape, DType dtype, Device device) { return empty_strided(shape, contiguous_strides(shape), dtype, device); }

Tensor view_of(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset) {
  auto impl = make_ref<TensorImpl>();
  impl->storage = x.impl().storage;
  impl->offset = offset;
  set_layout(*impl, shape, strides);
  impl->dtype = x.dtype();
  return Tensor(std::move(impl));
}

int wrap_dim(const char* op, int d, int dims) {
  if (d < -dims || d >= dims) throw ShapeError(fmt::format("{}: dimension {} is out of range for {} dimensions", op, d, dims));
  return d < 0 ? d + dims : d;
}

}  // namespace tapetum
