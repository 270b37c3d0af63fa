#include "core/dlpack.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/borrowed.h"
#include "core/error.h"
#include "core/ops/view.h"

namespace tapetum {
namespace {

using dlpack::DataType;
using dlpack::Managed;
using dlpack::TypeCode;

constexpr DType kAll[] = {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean};

DataType type_of(DType t) {
  const TypeCode code = t == DType::boolean ? TypeCode::boolean
                        : t == DType::bf16  ? TypeCode::bfloat
                        : is_floating(t)    ? TypeCode::floating
                        : t == DType::u8    ? TypeCode::unsigned_integer
                                            : TypeCode::integer;
  return {code, static_cast<uint8_t>(8 * size_of(t)), 1};
}

DType dtype_of(const DataType& type) {
  for (DType t : kAll)
    if (const DataType known = type_of(t); known.code == type.code && known.bits == type.bits && known.lanes == type.lanes) return t;
  throw DTypeError(fmt::format("from_dlpack: no dtype for code {}, {} bits, {} lanes", static_cast<int>(type.code), type.bits, type.lanes));
}

Device device_of(const dlpack::Device& d) {
  if (d.type == dlpack::DeviceType::cpu || d.type == dlpack::DeviceType::cuda_host) return {};
  if (d.type != dlpack::DeviceType::cuda) throw DeviceError(fmt::format("from_dlpack: no device for type {}", static_cast<int>(d.type)));
  const Device device(DeviceKind::cuda, d.id);
  tapetum::device_of(device);  // throws where there is none
  return device;
}

// What is handed out: the struct, and what it points to.
struct Handed {
  Managed managed;
  Tensor tensor;
  int64_t shape[kMaxDims], strides[kMaxDims];
};

void release_handed(Managed* managed) { delete static_cast<Handed*>(managed->manager_ctx); }

void release_taken(void* context) {
  Managed* managed = static_cast<Managed*>(context);
  if (managed->deleter) managed->deleter(managed);
}

struct Layout {
  Shape shape, strides;
  int64_t elements = 0;  // from the first to the last
};

Layout layout_of(const dlpack::View& view) {
  if (view.ndim < 0 || view.ndim > kMaxDims) throw ShapeError(fmt::format("from_dlpack: at most {} dimensions, got {}", kMaxDims, view.ndim));
  Layout l;
  for (int d = 0; d < view.ndim; ++d) {
    if (view.shape[d] < 0) throw ShapeError(fmt::format("from_dlpack: size {} of dimension {}", view.shape[d], d));
    l.shape.push_back(view.shape[d]);
  }
  l.strides = contiguous_strides(l.shape);
  l.elements = l.shape.numel() ? 1 : 0;
  for (int d = 0; d < view.ndim; ++d) {
    if (view.strides) l.strides[d] = view.strides[d];
    if (l.strides[d] < 0 && l.shape[d] > 1)
      throw ShapeError(fmt::format("from_dlpack: a stride of {}: negative ones are not supported", l.strides[d]));
    if (l.elements) l.elements += (l.shape[d] - 1) * l.strides[d];
  }
  return l;
}

}  // namespace

dlpack::Managed* to_dlpack(const Tensor& x) {
  if (x.requires_grad()) throw AutogradError("to_dlpack: the tensor requires a gradient, which would not follow: use detach()");
  if (x.device().kind == DeviceKind::meta) throw DeviceError("to_dlpack: a tensor on 'meta' has no memory");
  Handed* handed = new Handed{{}, x, {}, {}};
  std::copy(x.shape().begin(), x.shape().end(), handed->shape);
  std::copy(x.strides().begin(), x.strides().end(), handed->strides);
  const bool cuda = x.device().kind == DeviceKind::cuda;
  handed->managed = {.version = {1, 0},
                     .manager_ctx = handed,
                     .deleter = release_handed,
                     .flags = 0,
                     .view = {.data = const_cast<void*>(x.raw()),
                              .device = {cuda ? dlpack::DeviceType::cuda : dlpack::DeviceType::cpu, cuda ? x.device().index : 0},
                              .ndim = x.dim(),
                              .dtype = type_of(x.dtype()),
                              .shape = handed->shape,
                              .strides = handed->strides,
                              .byte_offset = 0}};
  return &handed->managed;
}

Tensor from_dlpack(dlpack::Managed* managed) {
  if (managed->version.major != 1)
    throw FormatError(fmt::format("from_dlpack: expected version 1, got {}.{}", managed->version.major, managed->version.minor));
  const dlpack::View& view = managed->view;
  const DType dtype = dtype_of(view.dtype);
  const Device device = device_of(view.device);
  const Layout layout = layout_of(view);
  auto storage = Storage::borrow(static_cast<char*>(view.data) + view.byte_offset, static_cast<size_t>(layout.elements) * size_of(dtype));
  storage->device = device;
  const Tensor x = tensor_on(storage, layout.shape, layout.strides, dtype);
  if (managed->flags & dlpack::kReadOnly) {
    const Tensor copy = clone(x);
    release_taken(managed);
    return copy;
  }
  release_with(*storage, release_taken, managed);
  return x;
}

}  // namespace tapetum
