// In place of codec_jpeg.cpp, codec_png.cpp and codec_gzip.cpp in a build without their libraries.
#include "core/error.h"
#include "data/codec.h"
#include "data/gzip.h"

namespace tapetum::data {
namespace {

[[noreturn]] void refuse() { throw FormatError("image: this build has no JPEG and PNG files; configure with -DTAPETUM_IMAGE_FILES=ON"); }

}  // namespace

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }
Image decode_jpeg(std::string_view, const std::string&, Size2) { refuse(); }
std::string encode_jpeg(const Image&, int) { refuse(); }

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }
Image decode_png(std::string_view, const std::string&) { refuse(); }
Tensor decode_png_labels(std::string_view, const std::string&) { refuse(); }
std::string encode_png(const Image&) { refuse(); }

std::string gunzip(std::string_view, const std::string& name, size_t) {
  throw FormatError(name + ": this build has no gzip; unpack the file, or configure with -DTAPETUM_IMAGE_FILES=ON");
}

}  // namespace tapetum::data
