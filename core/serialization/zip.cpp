#include "core/serialization/zip.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/serialization/crc.h"

namespace tapetum {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kDescriptor = 0x08074b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                   kLocator64 = 0x07064b50;
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr uint32_t kIn64 = 0xFFFFFFFF;   // of a size or an offset: the extra field 1 has it
constexpr uint16_t kHasDescriptor = 8;   // flag: CRC and sizes follow the data; the local header has zeros
constexpr uint16_t kUtf8Names = 0x0800;  // flag
constexpr uint64_t kAlignment = 64;

[[noreturn]] void fail(const ByteSource& source, const std::string& reason) { throw FormatError(fmt::format("{}: zip: {}", source.name, reason)); }

// Numbers of a header, one after the other.
class Fields {
 public:
  explicit Fields(std::string bytes) : bytes_(std::move(bytes)) {}
  template <class T> T next() {
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

struct Directory {
  uint64_t count, offset, size;
};

Directory find_directory(const ByteSource& s) {
  if (s.size < kEndSize || s.number<uint32_t>(s.size - kEndSize) != kEnd)
    fail(s, "no directory at the end: truncated, or something follows the archive");
  const uint64_t end = s.size - kEndSize;
  Fields f(s.text(end + 4, kEndSize - 4));
  const auto disk = f.next<uint16_t>(), first_disk = f.next<uint16_t>(), here = f.next<uint16_t>(), count = f.next<uint16_t>();
  const auto size = f.next<uint32_t>(), offset = f.next<uint32_t>();
  if (f.next<uint16_t>() != 0 || disk != 0 || first_disk != 0 || here != count) fail(s, "comments and several disks are not allowed");
  Directory d{count, offset, size};
  uint64_t directory_end = end;
  if (end >= kLocatorSize + kEnd64Size && s.number<uint32_t>(end - kLocatorSize) == kLocator64) {
    directory_end = end - kLocatorSize - kEnd64Size;
    Fields large(s.text(directory_end, kEnd64Size));
    if (s.number<uint64_t>(end - kLocatorSize + 8) != directory_end || large.next<uint32_t>() != kEnd64)
      fail(s, "the 64-bit end of the directory is not where it must be");
    if (large.next<uint64_t>() != kEnd64Size - 12) fail(s, "the 64-bit end of the directory has another size");
    large.next<uint32_t>();  // versions
    const auto disks = large.next<uint64_t>(), here64 = large.next<uint64_t>(), count64 = large.next<uint64_t>(), size64 = large.next<uint64_t>(),
               offset64 = large.next<uint64_t>();
    const auto agree = [](auto small, uint64_t large_value) { return small == static_cast<decltype(small)>(-1) || small == large_value; };
    if (disks || here64 != count64 || !agree(count, count64) || !agree(size, size64) || !agree(offset, offset64))
      fail(s, "the two ends of the directory differ");
    d = {count64, offset64, size64};
  }
  if (d.size > directory_end || d.offset != directory_end - d.size) fail(s, "the directory does not lie in front of its end");
  if (d.count > d.size / kCentralSize) fail(s, "the directory is too small for its number of members");
  return d;
}

// The 64-bit values that a header's extra field holds instead of its own, in the order in which they are asked for.
class Extra64 {
 public:
  Extra64(const ByteSource& s, const std::string& extra) : source_(s) {
    for (size_t at = 0; at + 4 <= extra.size();) {
      uint16_t id, bytes;
      std::memcpy(&id, &extra[at], 2);
      std::memcpy(&bytes, &extra[at + 2], 2);
      if (bytes > extra.size() - at - 4) fail(s, "an extra field passes its header's end");
      if (id == 1) values_ = extra.substr(at + 4, bytes);
      at += 4 + size_t{bytes};
    }
  }
  uint64_t value(uint32_t own) {
    if (own != kIn64) return own;
    if (values_.size() - at_ < 8) fail(source_, "a 64-bit size or offset is missing");
    uint64_t v;
    std::memcpy(&v, &values_[at_], 8);
    at_ += 8;
    return v;
  }

 private:
  const ByteSource& source_;
  std::string values_;
  size_t at_ = 0;
};

// An entry of the directory and how it describes the local header.
struct CentralEntry {
  ZipMember member;
  uint16_t flags;
};

CentralEntry read_central(const ByteSource& s, uint64_t& at, uint64_t end) {
  if (end - at < kCentralSize) fail(s, "the directory ends within an entry");
  Fields f(s.text(at, kCentralSize));
  if (f.next<uint32_t>() != kCentral) fail(s, fmt::format("no directory entry at byte {}", at));
  f.next<uint32_t>();  // versions
  const auto flags = f.next<uint16_t>(), method = f.next<uint16_t>();
  f.next<uint32_t>();  // time
  const auto crc = f.next<uint32_t>(), packed32 = f.next<uint32_t>(), size32 = f.next<uint32_t>();
  const auto name_size = f.next<uint16_t>(), extra_size = f.next<uint16_t>(), comment = f.next<uint16_t>(), disk = f.next<uint16_t>();
  f.next<uint16_t>();  // attributes
  f.next<uint32_t>();
  const auto header32 = f.next<uint32_t>();
  if (end - at - kCentralSize < uint64_t{name_size} + extra_size + comment) fail(s, "the directory ends within an entry");
  const std::string name = s.text(at + kCentralSize, name_size);
  Extra64 extra(s, s.text(at + kCentralSize + name_size, extra_size));
  const uint64_t size = extra.value(size32), packed = extra.value(packed32), header = extra.value(header32);
  if (name.empty() || disk || (flags & ~(kHasDescriptor | kUtf8Names))) fail(s, fmt::format("member '{}' is encrypted, or of another kind", name));
  if (method != 0 || packed != size) fail(s, fmt::format("member '{}' is compressed (method {}): only stored members are read", name, method));
  at += kCentralSize + name_size + extra_size + comment;
  return {{name, header, 0, size, crc}, flags};
}

// Where the member ends, after checking that its own header agrees.
uint64_t check_local(const ByteSource& s, CentralEntry& e, uint64_t end) {
  ZipMember& m = e.member;
  const auto differs = [&] { fail(s, fmt::format("the local header of '{}' differs from the directory", m.name)); };
  if (m.header > end || end - m.header < kLocalSize) differs();
  Fields f(s.text(m.header, kLocalSize));
  if (f.next<uint32_t>() != kLocal) differs();
  f.next<uint16_t>();  // version
  if (f.next<uint16_t>() != e.flags || f.next<uint16_t>() != 0) differs();
  f.next<uint32_t>();  // time
  const auto crc = f.next<uint32_t>(), packed32 = f.next<uint32_t>(), size32 = f.next<uint32_t>();
  const auto name_size = f.next<uint16_t>(), extra_size = f.next<uint16_t>();
  m.offset = m.header + kLocalSize + name_size + extra_size;
  if (m.offset > end || m.size > end - m.offset || s.text(m.header + kLocalSize, name_size) != m.name) differs();
  const bool later = e.flags & kHasDescriptor;
  Extra64 extra(s, s.text(m.header + kLocalSize + name_size, extra_size));
  const uint64_t size = extra.value(size32), packed = extra.value(packed32);
  if (!(size == m.size && packed == m.size && crc == m.crc) && !(later && !size && !packed && !crc)) differs();
  const uint64_t after = m.offset + m.size;
  if (!later) return after;
  // Signature, CRC, and both sizes in 4 bytes each, or in 8.
  if (end - after < 16 || s.number<uint32_t>(after) != kDescriptor || s.number<uint32_t>(after + 4) != m.crc) differs();
  if (m.size <= kIn64 && s.number<uint32_t>(after + 8) == m.size && s.number<uint32_t>(after + 12) == m.size) return after + 16;
  if (end - after < 24 || s.number<uint64_t>(after + 8) != m.size || s.number<uint64_t>(after + 16) != m.size) differs();
  return after + 24;
}

bool by_name(const ZipMember& a, const ZipMember& b) { return a.name < b.name; }

template <class T> void put(std::string& to, T value) { to.append(reinterpret_cast<const char*>(&value), sizeof value); }

// The extra field of 64-bit values, for those that do not fit 32 bits.
std::string extra64(std::initializer_list<uint64_t> values) {
  std::string all;
  for (uint64_t v : values)
    if (v >= kIn64) put(all, v);
  if (all.empty()) return all;
  std::string field;
  put<uint16_t>(field, 1);
  put<uint16_t>(field, static_cast<uint16_t>(all.size()));
  return field + all;
}

uint32_t in32(uint64_t value) { return value >= kIn64 ? kIn64 : static_cast<uint32_t>(value); }

// What local header and directory share: version, flags, method, time, CRC, sizes, lengths of name and extra field.
void put_common(std::string& to, const ZipMember& m, size_t extra) {
  put<uint16_t>(to, 45);
  put<uint16_t>(to, kUtf8Names);
  put<uint16_t>(to, 0);
  put<uint32_t>(to, 0x00210000);  // the format's first day, so that the same tensors give the same file
  put(to, m.crc);
  put(to, in32(m.size));
  put(to, in32(m.size));
  put(to, static_cast<uint16_t>(m.name.size()));
  put(to, static_cast<uint16_t>(extra));
}

}  // namespace

ZipReader::ZipReader(const ByteSource& source) : source_(source) {
  const Directory directory = find_directory(source);
  std::vector<CentralEntry> entries;
  entries.reserve(static_cast<size_t>(directory.count));
  uint64_t at = directory.offset;
  const uint64_t end = directory.offset + directory.size;
  for (uint64_t i = 0; i < directory.count; ++i) entries.push_back(read_central(source, at, end));
  if (at != end) fail(source, "the directory is longer than its entries");
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.member.header < b.member.header; });
  uint64_t next = 0;
  for (CentralEntry& e : entries) {
    if (e.member.header != next)
      fail(source, fmt::format("member '{}' begins at byte {}, but what is before it ends at {}", e.member.name, e.member.header, next));
    next = check_local(source, e, directory.offset);
    members_.push_back(std::move(e.member));
  }
  if (next != directory.offset) fail(source, "bytes between the last member and the directory");
  std::sort(members_.begin(), members_.end(), by_name);
  for (size_t i = 1; i < members_.size(); ++i)
    if (members_[i].name == members_[i - 1].name) fail(source, fmt::format("two members are called '{}'", members_[i].name));
}

const ZipMember* ZipReader::find(const std::string& name) const {
  const auto at = std::lower_bound(members_.begin(), members_.end(), ZipMember{name, 0, 0, 0, 0}, by_name);
  return at != members_.end() && at->name == name ? &*at : nullptr;
}

void ZipReader::read(const ZipMember& m, void* to) const {
  source_.read(m.offset, to, m.size);
  if (crc32(to, static_cast<size_t>(m.size)) != m.crc) fail(source_, fmt::format("member '{}' is damaged: its CRC differs", m.name));
}

std::string ZipReader::text(const ZipMember& m) const {
  std::string all(static_cast<size_t>(m.size), '\0');
  read(m, all.data());
  return all;
}

bool is_zip(const ByteSource& source) { return source.size >= 4 && source.number<uint32_t>(0) == kLocal; }

void ZipWriter::write(const std::string& bytes) {
  file_.write(bytes.data(), bytes.size());
  at_ += bytes.size();
}

void ZipWriter::add(const std::string& name, const void* data, uint64_t bytes) {
  ZipMember m{name, at_, 0, bytes, crc32(data, static_cast<size_t>(bytes))};
  std::string extra = extra64({bytes, bytes});
  const uint64_t unpadded = at_ + kLocalSize + name.size() + extra.size() + 4, padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  put<uint16_t>(extra, 0x4246);  // "FB": PyTorch's name for padding
  put<uint16_t>(extra, static_cast<uint16_t>(padding));
  extra.append(static_cast<size_t>(padding), 'Z');
  std::string header;
  put(header, kLocal);
  put_common(header, m, extra.size());
  write(header + name + extra);
  m.offset = at_;
  file_.write(data, static_cast<size_t>(bytes));
  at_ += bytes;
  members_.push_back(std::move(m));
}

void ZipWriter::finish() {
  const uint64_t start = at_;
  for (const ZipMember& m : members_) {
    const std::string extra = extra64({m.size, m.size, m.header});
    std::string entry;
    put(entry, kCentral);
    put<uint16_t>(entry, 45);
    put_common(entry, m, extra.size());
    put<uint64_t>(entry, 0);  // no comment, one disk, no attributes: 2 + 2 + 2 bytes, and the first half of the next
    put<uint16_t>(entry, 0);
    put(entry, in32(m.header));
    write(entry + m.name + extra);
  }
  const uint64_t size = at_ - start, end64 = at_, count = members_.size();
  std::string end;
  put(end, kEnd64);
  put<uint64_t>(end, kEnd64Size - 12);
  put<uint32_t>(end, 45 << 16 | 45);
  put<uint64_t>(end, 0);
  for (uint64_t v : {count, count, size, start}) put(end, v);
  put(end, kLocator64);
  put<uint32_t>(end, 0);
  put(end, end64);
  put<uint32_t>(end, 1);
  put(end, kEnd);
  put<uint32_t>(end, 0);
  for (int i = 0; i < 2; ++i) put(end, static_cast<uint16_t>(std::min<uint64_t>(count, 0xFFFF)));
  put(end, in32(size));
  put(end, in32(start));
  put<uint16_t>(end, 0);
  write(end);
}

}  // namespace tapetum
