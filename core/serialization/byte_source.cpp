#include "core/serialization/byte_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace tapetum {

static_assert(std::endian::native == std::endian::little, "numbers and tensors are read as they lie in files, which are little-endian");

void ByteSource::read(uint64_t offset, void* to, uint64_t bytes) const {
  if (offset > size || bytes > size - offset)
    throw FormatError(fmt::format("{}: ends at byte {}, but {} bytes are needed from byte {} on: truncated or damaged", name, size, bytes, offset));
  if (bytes) fetch(offset, to, static_cast<size_t>(bytes));
}

std::string ByteSource::text(uint64_t offset, uint64_t bytes) const {
  if (bytes > size) read(offset, nullptr, bytes);  // throws before memory is taken
  std::string all(static_cast<size_t>(bytes), '\0');
  read(offset, all.data(), bytes);
  return all;
}

void MemorySource::fetch(uint64_t offset, void* to, size_t bytes) const { std::memcpy(to, bytes_.data() + offset, bytes); }

FileSource::Opened FileSource::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) throw IoError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file);
    throw IoError(fmt::format("{}: cannot be read: not a regular file", path));
  }
  return {file, static_cast<uint64_t>(status.st_size)};
}

FileSource::FileSource(const std::string& path) : FileSource(path, open(path)) {}
FileSource::~FileSource() { ::close(file_); }

void FileSource::fetch(uint64_t offset, void* to, size_t bytes) const {
  for (char* p = static_cast<char*>(to); bytes;) {
    const ssize_t n = ::pread(file_, p, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw IoError(fmt::format("{}: cannot be read: {}", name, n < 0 ? std::strerror(errno) : "it became shorter while it was read"));
    p += n;
    offset += static_cast<uint64_t>(n);
    bytes -= static_cast<size_t>(n);
  }
}

}  // namespace tapetum
