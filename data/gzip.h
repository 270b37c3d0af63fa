// Inflates gzip files with a limit, so that a small file cannot ask for much memory.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tapetum::data {

inline constexpr uint64_t kMostInflated = 1032;  // bytes that deflate can make of one

inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

// The first `most` bytes of what was compressed, or all of it when it is shorter: then its checksum has been compared, and nothing may
// follow. Throws FormatError beginning with `name`: truncated, damaged, or a build without zlib.
std::string gunzip(std::string_view bytes, const std::string& name, size_t most);

}  // namespace tapetum::data
