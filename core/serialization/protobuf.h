// The wire format of Protocol Buffers, read field by field: https://protobuf.dev/programming-guides/encoding
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tapetum {

// for (ProtobufReader r(bytes, name); r.next();) if (r.field() == 5) use(r.bytes());
// Throws FormatError, whose text begins with `name`, for bytes that are no message. What next() leaves unread is skipped.
class ProtobufReader {
 public:
  ProtobufReader(std::string_view message, const std::string& name) : rest_(message), name_(name) {}
  bool next();
  uint32_t field() const { return field_; }
  bool is_bytes() const { return kind_ == 2; }
  uint64_t number();         // a varint, or 4 or 8 fixed bytes; throws FormatError where the field holds bytes
  std::string_view bytes();  // a text, a message, or packed numbers; throws FormatError where the field holds a number
  // Numbers, packed or one by one: f(uint64_t). `fixed`: bytes of each, 0 for varints.
  template <class F> void each_number(int fixed, F f) {
    if (!is_bytes()) return f(number());
    for (ProtobufReader packed(bytes(), name_); !packed.rest_.empty();) f(fixed ? packed.fixed(fixed) : packed.varint());
  }

 private:
  [[noreturn]] void fail(const char* reason) const;
  uint64_t varint();
  uint64_t fixed(int bytes);
  std::string_view rest_, value_;
  const std::string& name_;
  uint32_t field_ = 0, kind_ = 0;
  uint64_t number_ = 0;
};

}  // namespace tapetum
