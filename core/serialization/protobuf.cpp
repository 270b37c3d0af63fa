#include "core/serialization/protobuf.h"

#include <fmt/core.h>

#include <cstring>

#include "core/error.h"

namespace tapetum {

void ProtobufReader::fail(const char* reason) const { throw FormatError(fmt::format("{}: protobuf: {}", name_, reason)); }

uint64_t ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) fail("a number is cut off");
    const auto byte = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) fail("a number has more than 64 bits");
    value |= uint64_t{byte & 127u} << shift;
    if (byte < 128) return value;
  }
  fail("a number has more than 64 bits");
}

uint64_t ProtobufReader::fixed(int bytes) {
  const auto n = static_cast<size_t>(bytes);
  if (rest_.size() < n) fail("a number is cut off");
  uint64_t value = 0;
  std::memcpy(&value, rest_.data(), n);
  rest_.remove_prefix(n);
  return value;
}

bool ProtobufReader::next() {
  if (rest_.empty()) return false;
  const uint64_t tag = varint();
  if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) fail("a field has an impossible number");
  field_ = static_cast<uint32_t>(tag >> 3);
  kind_ = static_cast<uint32_t>(tag & 7);
  if (kind_ == 0) {
    number_ = varint();
  } else if (kind_ == 1 || kind_ == 5) {
    number_ = fixed(kind_ == 1 ? 8 : 4);
  } else if (kind_ == 2) {
    const uint64_t size = varint();
    if (size > rest_.size()) fail("a field passes its message's end");
    value_ = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(value_.size());
  } else {
    fail("a field is of an unknown kind");
  }
  return true;
}

uint64_t ProtobufReader::number() {
  if (is_bytes()) fail("a field holds bytes where a number is expected");
  return number_;
}

std::string_view ProtobufReader::bytes() {
  if (!is_bytes()) fail("a field holds a number where bytes are expected");
  return value_;
}

}  // namespace tapetum
