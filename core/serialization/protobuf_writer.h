// The wire format of Protocol Buffers, written field by field: https://protobuf.dev/programming-guides/encoding
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapetum {

// ProtobufWriter().number(1, 2.5).bytes(2, ProtobufWriter().varint(1, 7).message()).message(). A message is bytes inside another one.
class ProtobufWriter {
 public:
  ProtobufWriter& varint(uint32_t field, uint64_t value);  // int32, int64, uint64, bool, enum; a negative number as its 64 bits
  ProtobufWriter& number(uint32_t field, double value);
  ProtobufWriter& number(uint32_t field, float value);
  ProtobufWriter& bytes(uint32_t field, std::string_view value);
  ProtobufWriter& packed(uint32_t field, const std::vector<double>& values);  // nothing where there are none
  const std::string& message() const { return text_; }

 private:
  void key(uint32_t field, uint32_t kind);
  void put_varint(uint64_t value);
  template <class T> void put(T value);
  std::string text_;
};

}  // namespace tapetum
