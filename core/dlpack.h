// Tensors shared with other libraries without a copy, by the structs of the DLPack specification 1.x (https://dmlc.github.io/dlpack). They are
// declared here under names of our own, with the same layout: a pointer to the standard's DLManagedTensorVersioned is cast to ours and back.
// Who reads on a GPU what another has written orders the streams (cuda::synchronize()).
#pragma once
#include "core/tensor.h"

namespace tapetum {

namespace dlpack {

enum class DeviceType : int32_t { cpu = 1, cuda = 2, cuda_host = 3 };
enum class TypeCode : uint8_t { integer = 0, unsigned_integer = 1, floating = 2, bfloat = 4, boolean = 6 };

struct Device {
  DeviceType type;
  int32_t id;
};
struct DataType {
  TypeCode code;
  uint8_t bits;
  uint16_t lanes;
};
struct View {  // DLTensor
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;  // elements; null: row-major without gaps
  uint64_t byte_offset;
};
struct Version {
  uint32_t major, minor;
};

constexpr uint64_t kReadOnly = 1, kIsCopied = 2;

struct Managed {  // DLManagedTensorVersioned
  Version version;
  void* manager_ctx;
  void (*deleter)(Managed* self);  // called once by the consumer, when it needs the memory no more; may be null
  uint64_t flags;
  View view;
};

}  // namespace dlpack

// x's own memory, with its strides. The consumer calls the deleter; until then the memory lives. Throws AutogradError for a tensor that requires a
// gradient (use detach()), DeviceError for one on the meta device.
dlpack::Managed* to_dlpack(const Tensor& x);

// A tensor over that memory, whose deleter is called with the last tensor that shares it; of what is read-only a copy, and the deleter is called at
// once. Throws FormatError for another major version, DTypeError, DeviceError or ShapeError for what no tensor can be; then the caller still owns it.
Tensor from_dlpack(dlpack::Managed* managed);

}  // namespace tapetum
