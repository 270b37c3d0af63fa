#include "core/ops/creation.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>

#include "core/autograd/apply.h"
#include "core/capture.h"
#include "core/error.h"
#include "core/faults.h"
#include "core/ops/compare.h"
#include "core/ops/elementwise.h"
#include "core/ops/pointwise.h"
#include "core/ops/promotion.h"
#include "core/ops/view.h"
#include "kernels/device.h"

namespace tapetum {

// On the current stream of the GPU among the two. Between two GPUs both wait, since a stream orders the work of one device only.
void copy_bytes(Tensor& to, const Tensor& from, bool wait) {
  refuse_capture("to", "the host's values do not change with the graph's");
  const bool to_host = to.device().kind == DeviceKind::cpu, between = !to_host && from.device().kind == DeviceKind::cuda;
  const auto kind = to_host ? kernels::CopyKind::to_host : between ? kernels::CopyKind::within : kernels::CopyKind::to_device;
  if (between) check_call(device_of(from.device()), "to", device_of(from.device()).finish(kernels::current_stream()));
  const auto& api = device_of(to_host ? from.device() : to.device());
  check_call(api, "to", api.copy(to.mutable_raw(), from.raw(), static_cast<size_t>(to.numel()) * size_of(to.dtype()), kind, wait || between));
  if (to_host && wait) throw_faults(from.device());
}

namespace {

Tensor pinned_like(const Tensor& x) {
  const size_t bytes = static_cast<size_t>(x.numel()) * size_of(x.dtype());
  return tensor_on(Storage::make_pinned(bytes), x.shape(), dense_strides_like(x), x.dtype());
}

struct DeviceOptions {
  Device from, to;
  bool non_blocking;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("from", s.from);
    v("to", s.to);
    v("non_blocking", s.non_blocking);
  }
};

struct ToDeviceOp {
  static constexpr OpInfo info{"to_device"};
  using Options = DeviceOptions;
  static Tensor forward(Context&, const Options& o, const Tensor& x) {
    const Shape strides = dense_strides_like(x);
    const bool pinned = o.non_blocking && o.to.kind == DeviceKind::cpu;
    Tensor y = pinned ? pinned_like(x) : empty_strided(x.shape(), strides, x.dtype(), o.to);
    if (o.to.kind != DeviceKind::meta) copy_bytes(y, x.strides() == strides ? x : clone(x), !o.non_blocking);
    return y;
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& gy) { return {to(gy, o.from)}; }
};

struct DTypes {
  DType from, to;
  template <class S, class V> static void fields(S& s, V&& v) {
    v("from", s.from);
    v("to", s.to);
  }
};

struct ToDTypeOp {
  static constexpr OpInfo info{"to"};
  using Options = DTypes;
  static Tensor forward(Context&, const Options& o, const Tensor& x) {
    Tensor y = empty_strided(x.shape(), dense_strides_like(x), o.to, x.device());
    pointwise_into(kernels::copy_forward, y, {x}, promote(x.dtype(), y.dtype()));
    return y;
  }
  static Gradients backward(const Context&, const Options& o, const Tensor& gy) { return {to(gy, o.from)}; }
};

// f(i) for each element of a new row-major tensor.
template <class F> Tensor generate(const Shape& shape, DType dtype, F f) {
  Tensor x = empty(shape, dtype);
  with_type(dtype, [&]<class T>() {
    T* p = static_cast<T*>(x.mutable_raw());
    for (int64_t i = 0, n = x.numel(); i < n; ++i) p[i] = cast<T>(f(i));
  });
  return x;
}

// True where column - row is at most `diagonal`.
Tensor lower_mask(const char* op, const Tensor& x, int64_t diagonal) {
  if (x.dim() < 2) throw ShapeError(fmt::format("{}: expected at least two dimensions, got {}", op, to_string(x.shape())));
  const int64_t columns = x.size(-1);
  return generate({x.size(-2), columns}, DType::boolean, [&](int64_t i) { return i % columns - i / columns <= diagonal; });
}

}  // namespace

Tensor full(const Shape& shape, double value, DType dtype, Device device) {
  if (device.kind == DeviceKind::meta) return empty(shape, dtype, device);
  if (device.kind == DeviceKind::cpu) return generate(shape, dtype, [&](int64_t) { return value; });
  Tensor x = empty(shape, dtype, device);
  const auto& api = device_of(device);
  with_type(dtype, [&]<class T>() {
    const T element = cast<T>(value);
    check_call(api, "full", api.fill(x.mutable_raw(), &element, sizeof element, x.numel()));
  });
  return x;
}

Tensor empty_like(const Tensor& x) { return empty_strided(x.shape(), dense_strides_like(x), x.dtype(), x.device()); }

Tensor full_like(const Tensor& x, double value) {
  Tensor y = empty_like(x);
  const Tensor v = full({}, value, x.dtype(), x.device());
  pointwise_into(kernels::copy_forward, y, {v}, x.dtype());
  return y;
}

Tensor tensor(std::initializer_list<double> values, const Shape& shape, DType dtype) {
  if (static_cast<int64_t>(values.size()) != shape.numel())
    throw ShapeError(fmt::format("tensor: {} values for shape {}", values.size(), to_string(shape)));
  return generate(shape, dtype, [&](int64_t i) { return values.begin()[i]; });
}

Tensor scalar_tensor(double value, DType dtype) { return full({}, value, dtype); }

Tensor from_blob(void* data, const Shape& shape, DType dtype) { return from_blob(data, shape, contiguous_strides(shape), dtype); }

Tensor from_blob(void* data, const Shape& shape, const Shape& strides, DType dtype) {
  if (strides.size() != shape.size()) throw ShapeError(fmt::format("from_blob: shape {} with strides {}", to_string(shape), to_string(strides)));
  int64_t elements = shape.numel() ? 1 : 0;
  for (int d = 0; d < shape.size() && elements; ++d) elements += (shape[d] - 1) * strides[d];
  return tensor_on(Storage::borrow(data, static_cast<size_t>(elements) * size_of(dtype)), shape, strides, dtype);
}

Tensor arange(Scalar end) { return arange(0, end); }
Tensor arange(Scalar end, DType dtype) { return arange(0, end, 1, dtype); }
Tensor arange(Scalar start, Scalar end, Scalar step) {
  return arange(start, end, step, start.integral && end.integral && step.integral ? DType::i64 : DType::f32);
}

Tensor arange(Scalar first, Scalar last, Scalar stride, DType dtype) {
  const double start = first.value, end = last.value, step = stride.value;
  if (step == 0 || !std::isfinite((end - start) / step)) throw Error(fmt::format("arange: cannot go from {} to {} in steps of {}", start, end, step));
  const int64_t count = static_cast<int64_t>(std::fmax(0, std::ceil((end - start) / step)));
  return generate({count}, dtype, [&](int64_t i) { return start + static_cast<double>(i) * step; });
}

Tensor linspace(double start, double end, int64_t steps, DType dtype) {
  if (steps < 0) throw ShapeError(fmt::format("linspace: steps must not be negative, got {}", steps));
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  // From the nearer end, so that both ends are exact.
  return generate({steps}, dtype, [&](int64_t i) {
    return i < steps / 2 || steps == 1 ? start + static_cast<double>(i) * step : end - static_cast<double>(steps - 1 - i) * step;
  });
}

Tensor eye(int64_t rows, int64_t columns, DType dtype) {
  const int64_t n = columns < 0 ? rows : columns;
  return generate({rows, n}, dtype, [&](int64_t i) { return i / n == i % n; });
}

Tensor tril(const Tensor& x, int64_t diagonal) {
  const Tensor zero = full({}, 0, x.dtype(), x.device());
  return where(to(lower_mask("tril", x, diagonal), x.device()), x, zero);
}
Tensor triu(const Tensor& x, int64_t diagonal) {
  const Tensor zero = full({}, 0, x.dtype(), x.device());
  return where(to(lower_mask("triu", x, diagonal - 1), x.device()), zero, x);
}

Tensor to(const Tensor& x, Device device, bool non_blocking) {
  const Device from = x.device();
  if (from == device) return x;
  return apply<ToDeviceOp>({from, device, non_blocking}, x);
}

Tensor to(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return apply<ToDTypeOp>({x.dtype(), dtype}, x);
}

Tensor pin_memory(const Tensor& x) {
  if (is_pinned(x)) return x;
  if (x.device().kind != DeviceKind::cpu) throw DeviceError(fmt::format("pin_memory: expected a tensor on the cpu, got '{}'", to_string(x.device())));
  Tensor y = pinned_like(x);
  copy_(y, x.detach());
  return y;
}

bool is_pinned(const Tensor& x) { return x.impl().storage->owner == Owner::pinned; }

}  // namespace tapetum
