#include "core/serialization/onnx_weights.h"

#include <fmt/core.h>

#include <cstring>
#include <optional>

#include "core/error.h"
#include "core/serialization/protobuf.h"

namespace tapetum {
namespace {

// Field numbers of onnx.proto.
enum ModelField : uint32_t { kIrVersion = 1, kGraph = 7 };
enum GraphField : uint32_t { kInitializer = 5 };
enum TensorField : uint32_t {
  kDims = 1,
  kDataType = 2,
  kFloatData = 4,
  kInt32Data = 5,
  kInt64Data = 7,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kDataLocation = 14
};

std::optional<DType> dtype_of_onnx(uint64_t type) {
  switch (type) {
    case 1:
      return DType::f32;
    case 2:
      return DType::u8;
    case 3:
      return DType::i8;
    case 6:
      return DType::i32;
    case 7:
      return DType::i64;
    case 9:
      return DType::boolean;
    case 10:
      return DType::f16;
    case 11:
      return DType::f64;
    case 16:
      return DType::bf16;
    default:
      return std::nullopt;
  }
}

struct TensorHeader {
  std::string name = "?";
  Shape shape;
  uint64_t type = 0;
  bool elsewhere = false;  // in another file
};

class InitializerReader {
 public:
  InitializerReader(const std::string& file, std::string_view message) : file_(file), message_(message) {}

  std::pair<std::string, Tensor> read() {
    read_header();
    const auto dtype = dtype_of_onnx(h_.type);
    if (!dtype) fail(fmt::format("has data type {}, which is not supported", h_.type));
    if (h_.elsewhere) fail("lies in another file, which is not read");
    int64_t bytes = static_cast<int64_t>(size_of(*dtype));
    for (int64_t d : h_.shape)
      if (d < 0 || __builtin_mul_overflow(bytes, std::max<int64_t>(d, 1), &bytes)) fail("has an impossible shape");
    if (h_.shape.numel() && static_cast<uint64_t>(bytes) / size_of(*dtype) > message_.size())
      fail(fmt::format("of shape {} does not fit the file", to_string(h_.shape)));
    Tensor t = empty(h_.shape, *dtype);
    fill(t);
    return {h_.name, t};
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { throw FormatError(fmt::format("{}: tensor '{}' {}", file_, h_.name, reason)); }

  void read_header() {
    for (ProtobufReader r(message_, file_); r.next();) {
      if (r.field() == kName) h_.name = r.bytes();
      if (r.field() == kDataType) h_.type = r.number();
      if (r.field() == kDataLocation) h_.elsewhere = r.number() != 0;
      if (r.field() == kDims)
        r.each_number(0, [&](uint64_t d) {
          if (h_.shape.size() == kMaxDims) fail(fmt::format("has more than {} dimensions", kMaxDims));
          h_.shape.push_back(static_cast<int64_t>(d));
        });
    }
  }

  // The elements: bytes as they lie, or numbers of a wider type (16 bits and less come as int32).
  void fill(Tensor& t) {
    auto* to = static_cast<char*>(t.mutable_raw());
    const size_t width = size_of(t.dtype()), all = static_cast<size_t>(t.numel()) * width;
    size_t at = 0;
    const auto add = [&](const void* from, size_t bytes) {
      if (bytes > all - at) fail(fmt::format("of shape {} has more elements", to_string(h_.shape)));
      if (bytes) std::memcpy(to + at, from, bytes);
      at += bytes;
    };
    for (ProtobufReader r(message_, file_); r.next();) {
      const uint32_t f = r.field();
      if (f == kRawData) add(r.bytes().data(), r.bytes().size());
      const int fixed = f == kFloatData ? 4 : f == kDoubleData ? 8 : 0;
      if (fixed || f == kInt32Data || f == kInt64Data) {
        if ((fixed && static_cast<size_t>(fixed) != width) || (f == kInt64Data && width != 8) || (f == kInt32Data && width > 4))
          fail("has numbers of another type than it says");
        r.each_number(fixed, [&](uint64_t v) { add(&v, width); });
      }
    }
    if (at != all) fail(fmt::format("of shape {} has {} bytes, expected {}", to_string(h_.shape), at, all));
    if (t.dtype() == DType::boolean)
      for (size_t i = 0; i < all; ++i)
        if (static_cast<unsigned char>(to[i]) > 1) fail("is boolean, but has a byte that is neither 0 nor 1");
  }

  const std::string& file_;
  std::string_view message_;
  TensorHeader h_;
};

}  // namespace

bool is_onnx(const ByteSource& source) {
  return source.size >= 2 && source.number<uint8_t>(0) == (kIrVersion << 3) && source.number<uint8_t>(1) < 64;
}

StateDict read_onnx_weights(const ByteSource& source) {
  const std::string all = source.text(0, source.size);
  StateDict state;
  bool graph = false;
  for (ProtobufReader model(all, source.name); model.next();) {
    if (model.field() != kGraph) continue;
    graph = true;
    for (ProtobufReader r(model.bytes(), source.name); r.next();) {
      if (r.field() != kInitializer) continue;
      auto [name, tensor] = InitializerReader(source.name, r.bytes()).read();
      if (state.contains(name)) throw FormatError(fmt::format("{}: two tensors are called '{}'", source.name, name));
      state.set(name, tensor);
    }
  }
  if (!graph) throw FormatError(fmt::format("{}: an ONNX model without a graph, or something else", source.name));
  return state;
}

}  // namespace tapetum
