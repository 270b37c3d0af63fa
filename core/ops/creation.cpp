#include "core/ops/creation.h"

#include <fmt/core.h>

#include <vector>

#include "core/autograd/apply.h"
#include "core/error.h"
#include "core/ops/view.h"
#include "kernels/device.h"

namespace tapetum {
namespace {

void copy_bytes(Tensor& to, const void* from, kernels::CopyKind kind) {
  const auto* api = kernels::device_api((kind == kernels::CopyKind::to_host ? DeviceKind::cuda : to.device().kind));
  if (!api->copy(to.mutable_raw(), from, static_cast<size_t>(to.numel()) * size_of(to.dtype()), kind))
    throw DeviceError("to: the device reported a failure");
}

struct ToDeviceOp {
  static constexpr OpInfo info{"to"};
  struct Options {
    int64_t from, to;
    template <class S, class V> static void fields(S& s, V&& v) {
      v("from", s.from);
      v("to", s.to);
    }
  };
  static Tensor forward(Context&, const Options& o, const Tensor& x) {
    const Tensor dense = contiguous(x);
    Tensor y = empty(x.shape(), x.dtype(), static_cast<DeviceKind>(o.to));
    copy_bytes(y, dense.raw(), y.device().kind == DeviceKind::cpu ? kernels::CopyKind::to_host : kernels::CopyKind::to_device);
    return y;
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& gy) { return {to(gy, static_cast<DeviceKind>(o.from))}; }
};

}  // namespace

Tensor full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor host = empty(shape, dtype);
  with_type(dtype, [&]<class T>() {
    T* p = static_cast<T*>(host.mutable_raw());
    for (int64_t i = 0; i < host.numel(); ++i) p[i] = cast<T>(value);
  });
  return device.kind == DeviceKind::cpu ? host : to(host, device);
}

Tensor tensor(std::initializer_list<double> values, const Shape& shape, DType dtype) {
  if (static_cast<int64_t>(values.size()) != shape.numel())
    throw ShapeError(fmt::format("tensor: {} values for shape {}", values.size(), to_string(shape)));
  Tensor x = empty(shape, dtype);
  with_type(dtype, [&]<class T>() {
    T* p = static_cast<T*>(x.mutable_raw());
    for (double v : values) *p++ = cast<T>(v);
  });
  return x;
}

Tensor to(const Tensor& x, Device device) {
  if (x.device() == device) return x;
  return apply<ToDeviceOp>({static_cast<int64_t>(x.device().kind), static_cast<int64_t>(device.kind)}, x);
}

Tensor to(const Tensor& x, DType dtype) {
  const Tensor dense = contiguous(x.detach());
  Tensor y = empty(x.shape(), dtype);
  with_type(x.dtype(), [&]<class From>() {
    with_type(dtype, [&]<class To>() {
      for (int64_t i = 0; i < y.numel(); ++i) static_cast<To*>(y.mutable_raw())[i] = cast<To>(dense.data<From>()[i]);
    });
  });
  return y;
}

}  // namespace tapetum
