#include "data/file.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/error.h"

namespace tapetum::data {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 30;

struct Close {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, Close>;

[[noreturn]] void refuse(const std::string& path, const char* reason) { throw IoError(fmt::format("read: {}: {}", path, reason)); }

}  // namespace

std::string read_file(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) refuse(path, std::strerror(errno));
  std::string bytes;
  char chunk[1 << 16];
  while (const size_t n = std::fread(chunk, 1, sizeof chunk, file.get())) {
    if (bytes.size() + n > kMaxBytes) refuse(path, "is larger than 1 GiB");
    bytes.append(chunk, n);
  }
  if (std::ferror(file.get())) refuse(path, std::strerror(errno));
  return bytes;
}

}  // namespace tapetum::data
