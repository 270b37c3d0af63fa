// Where a reader takes a file's bytes from: a file on disk, read in pieces, or bytes in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tapetum {

class ByteSource {
 public:
  ByteSource(std::string name, uint64_t size) : name(std::move(name)), size(size) {}
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;

  // Throws FormatError for bytes that the source has not, IoError where the system refuses.
  void read(uint64_t offset, void* to, uint64_t bytes) const;
  std::string text(uint64_t offset, uint64_t bytes) const;
  template <class T> T number(uint64_t offset) const {  // little-endian
    T value;
    read(offset, &value, sizeof value);
    return value;
  }

  const std::string name;  // of the file, for errors
  const uint64_t size;

 private:
  virtual void fetch(uint64_t offset, void* to, size_t bytes) const = 0;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(const std::string& name, std::string_view bytes) : ByteSource(name, bytes.size()), bytes_(bytes) {}

 private:
  void fetch(uint64_t offset, void* to, size_t bytes) const override;
  std::string_view bytes_;
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::string& path);  // throws IoError unless it is a regular file that can be read
  ~FileSource() override;

 private:
  struct Opened {
    int file;
    uint64_t size;
  };
  static Opened open(const std::string& path);
  FileSource(const std::string& path, const Opened& opened) : ByteSource(path, opened.size), file_(opened.file) {}
  void fetch(uint64_t offset, void* to, size_t bytes) const override;
  int file_;
};

}  // namespace tapetum
