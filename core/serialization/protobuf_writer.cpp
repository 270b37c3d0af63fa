#include "core/serialization/protobuf_writer.h"

#include <bit>
#include <cstring>

namespace tapetum {

static_assert(std::endian::native == std::endian::little);  // numbers are written as they lie in memory

void ProtobufWriter::put_varint(uint64_t value) {
  for (; value >= 128; value >>= 7) text_ += static_cast<char>(value | 128);
  text_ += static_cast<char>(value);
}

template <class T> void ProtobufWriter::put(T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  text_.append(raw, sizeof value);
}

void ProtobufWriter::key(uint32_t field, uint32_t kind) { put_varint(uint64_t{field} << 3 | kind); }

ProtobufWriter& ProtobufWriter::varint(uint32_t field, uint64_t value) {
  key(field, 0);
  put_varint(value);
  return *this;
}

ProtobufWriter& ProtobufWriter::number(uint32_t field, double value) {
  key(field, 1);
  put(value);
  return *this;
}

ProtobufWriter& ProtobufWriter::number(uint32_t field, float value) {
  key(field, 5);
  put(value);
  return *this;
}

ProtobufWriter& ProtobufWriter::bytes(uint32_t field, std::string_view value) {
  key(field, 2);
  put_varint(value.size());
  text_ += value;
  return *this;
}

ProtobufWriter& ProtobufWriter::packed(uint32_t field, const std::vector<double>& values) {
  if (values.empty()) return *this;
  key(field, 2);
  put_varint(values.size() * sizeof(double));
  for (double v : values) put(v);
  return *this;
}

}  // namespace tapetum
