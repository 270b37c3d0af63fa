// Zip archives of stored (uncompressed) members: the container of PyTorch's files. PKWARE's APPNOTE 6.3, sections 4.3 and 4.4.
// The reader is strict, because lenient readers are what hostile files are made for: the directory ends the file, every local header says
// what the directory says, members neither repeat nor overlap nor leave gaps, and every byte that is handed out has passed its CRC.
#pragma once
#include <string>
#include <vector>

#include "core/serialization/atomic_file.h"
#include "core/serialization/byte_source.h"

namespace tapetum {

struct ZipMember {
  std::string name;
  uint64_t header, offset, size;  // bytes: where its local header and its data begin, and how many there are
  uint32_t crc;
};

class ZipReader {
 public:
  explicit ZipReader(const ByteSource& source);                       // which must live as long; throws FormatError for anything out of the ordinary
  const std::vector<ZipMember>& members() const { return members_; }  // by name
  const ZipMember* find(const std::string& name) const;               // null when absent
  void read(const ZipMember& member, void* to) const;                 // all of it; throws FormatError when it is damaged
  std::string text(const ZipMember& member) const;

 private:
  const ByteSource& source_;
  std::vector<ZipMember> members_;  // by name
};

bool is_zip(const ByteSource& source);

class ZipWriter {
 public:
  explicit ZipWriter(AtomicFile& file) : file_(file) {}
  void add(const std::string& name, const void* data, uint64_t bytes);  // data begins at a multiple of 64, so that it can be mapped
  void finish();                                                        // the directory; the file's commit() is the caller's

 private:
  void write(const std::string& bytes);
  AtomicFile& file_;
  std::vector<ZipMember> members_;
  uint64_t at_ = 0;
};

}  // namespace tapetum
