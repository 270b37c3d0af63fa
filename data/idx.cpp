#include "data/idx.h"

#include <fmt/core.h>

#include <cstring>

#include "core/error.h"
#include "data/file.h"
#include "data/gzip.h"

namespace tapetum::data {
namespace {

constexpr int kMaxDims = 4;
constexpr size_t kMaxHeader = 4 + 4 * kMaxDims;
constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
constexpr uint8_t kUnsignedBytes = 0x08;

struct Header {
  Shape shape;
  size_t bytes;       // of the header
  uint64_t elements;  // at most kMaxBytes
};

[[noreturn]] void refuse(const std::string& name, const std::string& reason) { throw FormatError(fmt::format("idx: {}: {}", name, reason)); }

uint8_t byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

Header parse_header(std::string_view bytes, const std::string& name) {
  if (bytes.size() < 4) refuse(name, fmt::format("is truncated: {} bytes", bytes.size()));
  if (byte(bytes, 0) || byte(bytes, 1)) refuse(name, fmt::format("is no IDX file: begins with {:02x} {:02x}", byte(bytes, 0), byte(bytes, 1)));
  if (byte(bytes, 2) != kUnsignedBytes) refuse(name, fmt::format("expected unsigned bytes (type 08), got type {:02x}", byte(bytes, 2)));
  const int dims = byte(bytes, 3);
  if (dims < 1 || dims > kMaxDims) refuse(name, fmt::format("expected 1 to {} dimensions, got {}", kMaxDims, dims));
  Header header{{}, 4 + 4 * static_cast<size_t>(dims), 1};
  if (bytes.size() < header.bytes) refuse(name, fmt::format("is truncated: {} bytes", bytes.size()));
  for (size_t at = 4; at < header.bytes; at += 4) {
    const uint32_t size =
        uint32_t{byte(bytes, at)} << 24 | uint32_t{byte(bytes, at + 1)} << 16 | uint32_t{byte(bytes, at + 2)} << 8 | byte(bytes, at + 3);
    header.shape.push_back(size);
    header.elements *= size;
    if (header.elements > kMaxBytes) refuse(name, fmt::format("has {} elements or more, above the limit of {}", header.elements, kMaxBytes));
  }
  return header;
}

Tensor tensor_of(const Header& header, std::string_view bytes, const std::string& name) {
  if (bytes.size() != header.bytes + header.elements)
    refuse(name, fmt::format("{} should take {} bytes, got {}{}", to_string(header.shape), header.bytes + header.elements,
                             bytes.size() > header.bytes + header.elements ? "more: " : "", bytes.size()));
  Tensor result = empty(header.shape, DType::u8);
  if (header.elements > 0) std::memcpy(result.mutable_raw(), bytes.data() + header.bytes, static_cast<size_t>(header.elements));
  return result;
}

}  // namespace

Tensor parse_idx(std::string_view bytes, const std::string& name) {
  if (!is_gzip(bytes)) return tensor_of(parse_header(bytes, name), bytes, name);
  const Header header = parse_header(gunzip(bytes, name, kMaxHeader), name);
  if (header.elements > bytes.size() * kMostInflated) refuse(name, fmt::format("{} bytes cannot hold {} elements", bytes.size(), header.elements));
  return tensor_of(header, gunzip(bytes, name, header.bytes + header.elements + 1), name);
}

Tensor read_idx(const std::string& path) { return parse_idx(read_file(path), path); }

}  // namespace tapetum::data
