#include "core/ops/launch.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/ops/view.h"

namespace tapetum {

void throw_status(kernels::Status status, const char* slot, Device device, DType dtype) {
  using kernels::Status;
  const auto on = fmt::format("on '{}' for {}", to_string(device), name_of(dtype));
  switch (status) {
    case Status::no_candidate:
      throw DeviceError(fmt::format("{}: no kernel {}", slot, on));
    case Status::forced_unsupported:
      throw UnsupportedKernel(fmt::format("{}: the forced candidate '{}' does not support this call {}", slot, kernels::forced_candidate(slot), on));
    case Status::unknown_candidate:
      throw Error(fmt::format("{}: no candidate is called '{}' {}", slot, kernels::forced_candidate(slot), on));
    case Status::out_of_memory:
      throw OutOfMemory(fmt::format("{}: no memory for the workspace {}", slot, on));
    default:
      throw DeviceError(fmt::format("{} {}: {}", slot, on, device_of(device).last_error()));
  }
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()));
  for (int d = 1; d <= out.size(); ++d) {
    const int64_t m = d <= a.size() ? a[a.size() - d] : 1, n = d <= b.size() ? b[b.size() - d] : 1;
    if (m != n && m != 1 && n != 1) throw ShapeError(fmt::format("{}: shapes {} and {} do not broadcast", op, to_string(a), to_string(b)));
    out[out.size() - d] = m == 1 ? n : m;
  }
  return out;
}

Shape broadcast_strides(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x.strides();
  Shape s(shape.size());
  for (int d = 1; d <= x.dim(); ++d)
    if (x.size(-d) == shape[shape.size() - d]) s[shape.size() - d] = x.strides()[x.dim() - d];
  return s;
}

int order_of_dimensions(const Shape& shape, const Shape& strides, Order by, int (&order)[kMaxDims]) {
  int n = 0;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    int at = n++;  // insertion sort: few dimensions, mostly in order
    for (; by == Order::memory && at > 0 && strides[order[at - 1]] < strides[d]; --at) order[at] = order[at - 1];
    order[at] = d;
  }
  return n;
}

Shape dense_strides_like(const Tensor& x) {
  if (x.is_contiguous()) return contiguous_strides(x.shape());
  int order[kMaxDims];
  const int dims = order_of_dimensions(x.shape(), x.strides(), Order::memory, order);
  for (int i = 0; i < dims; ++i)
    if (x.strides()[order[i]] == 0) return contiguous_strides(x.shape());
  Shape s = contiguous_strides(x.shape());
  int64_t step = 1;
  for (int i = dims - 1; i >= 0; --i) {
    s[order[i]] = step;
    step *= std::max<int64_t>(x.size(order[i]), 1);
  }
  return s;
}

Shape wrap_dims(const char* op, const Shape& dims, int count) {
  Shape wrapped;
  for (int64_t d : dims) {
    const int at = wrap_dim(op, static_cast<int>(d), count);
    if (contains(wrapped, at)) throw ShapeError(fmt::format("{}: dimension {} is named twice in {}", op, at, to_string(dims)));
    wrapped.push_back(at);
  }
  return wrapped;
}

bool contains(const Shape& dims, int d) { return std::find(dims.begin(), dims.end(), d) != dims.end(); }

Tensor dense_or_none(const Tensor& x) { return x.defined() ? contiguous(x) : x; }

void check_device(const char* op, const Tensor& a, const Tensor& b) {
  if (!(a.device() == b.device()))
    throw DeviceError(fmt::format("{}: expected one device, got '{}' and '{}'", op, to_string(a.device()), to_string(b.device())));
}

void check_floating(const char* op, const Tensor& x) {
  if (!is_floating(x.dtype())) throw DTypeError(fmt::format("{}: expected a floating-point input, got {}", op, name_of(x.dtype())));
}

void check_same(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) throw DTypeError(fmt::format("{}: expected one dtype, got {} and {}", op, name_of(a.dtype()), name_of(b.dtype())));
  check_device(op, a, b);
}

}  // namespace tapetum
