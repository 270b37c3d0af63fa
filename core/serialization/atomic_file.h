// A file that appears whole or not at all: bytes go to `<path>.partial` in the same folder; commit() flushes them to the disk
// and renames. Destroyed without commit(), it removes the partial file. One writer at a time for each path.
// Throws IoError naming the file and the system's reason; a full disk leaves an older file at `path` as it was.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace tapetum {

class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t bytes);
  void commit();

 private:
  [[noreturn]] void fail(const char* action, int error);
  std::string path_, partial_;
  int file_ = -1;
};

void write_file_atomically(const std::string& path, std::string_view content);

}  // namespace tapetum
