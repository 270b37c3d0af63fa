#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "data/gzip.h"

namespace tapetum::data {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib's way to say that the wrapper is gzip's

struct Inflater {
  z_stream z{};
  bool ready = inflateInit2(&z, kGzipOnly) == Z_OK;
  ~Inflater() {
    if (ready) inflateEnd(&z);
  }
};

}  // namespace

std::string gunzip(std::string_view bytes, const std::string& name, size_t most) {
  const auto fail = [&](const char* reason) { throw FormatError(fmt::format("{}: gzip: {}", name, reason)); };
  if (bytes.size() > std::numeric_limits<uInt>::max() || most > std::numeric_limits<uInt>::max()) fail("is larger than 4 GB");
  Inflater inflater;
  z_stream& z = inflater.z;
  if (!inflater.ready) fail("zlib does not start");
  std::string result(std::min(most, bytes.size() * kMostInflated), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(result.data());
  z.avail_out = static_cast<uInt>(result.size());
  const int status = inflate(&z, Z_SYNC_FLUSH);
  result.erase(result.size() - z.avail_out);
  if (status == Z_STREAM_END) {
    if (z.avail_in > 0) fail("bytes follow its end");
    return result;
  }
  if (status != Z_OK && status != Z_BUF_ERROR) fail(z.msg ? z.msg : "is damaged");
  if (z.avail_out > 0) fail("is truncated");
  return result;
}

}  // namespace tapetum::data
