#include "core/serialization/atomic_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace tapetum {
namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {
  file_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) throw IoError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(partial_.c_str());
}

void AtomicFile::fail(const char* action, int error) { throw IoError(fmt::format("{}: {} failed: {}", path_, action, std::strerror(error))); }

void AtomicFile::write(const void* data, size_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes) {
    const ssize_t n = ::write(file_, from, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("writing", errno);
    from += n;
    bytes -= static_cast<size_t>(n);
  }
}

void AtomicFile::commit() {
  if (::fsync(file_) != 0) fail("flushing to disk", errno);
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail("renaming the finished file", errno);
  ::close(std::exchange(file_, -1));
  // The new name itself must survive a power cut. Some file systems cannot flush a folder: they say EINVAL.
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail("opening its folder", errno);
  const int error = ::fsync(folder) == 0 ? 0 : errno;
  ::close(folder);
  if (error && error != EINVAL) fail("flushing its folder to disk", error);
}

void write_file_atomically(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content.data(), content.size());
  file.commit();
}

}  // namespace tapetum
