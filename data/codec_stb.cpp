#include "data/codec.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 32768
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cstring>
#include <memory>

namespace tapetum::data {
namespace {

constexpr int64_t kLzwRatio = 4096;  // pixels from one byte: the most is a GIF's longest code

// stb_image reads zeros past the end of the data; a read that finds nothing left shows that it did.
struct Source {
  std::string_view left;
  bool starved = false;

  static int read(void* user, char* to, int n) {
    auto& s = *static_cast<Source*>(user);
    const size_t count = std::min(static_cast<size_t>(n), s.left.size());
    std::memcpy(to, s.left.data(), count);
    s.left.remove_prefix(count);
    s.starved |= count == 0;
    return static_cast<int>(count);
  }
  static void skip(void* user, int n) {
    auto& s = *static_cast<Source*>(user);
    if (n > 0) s.left.remove_prefix(std::min(static_cast<size_t>(n), s.left.size()));
  }
  static int at_end(void* user) { return static_cast<Source*>(user)->left.empty(); }
};
constexpr stbi_io_callbacks kCallbacks{Source::read, Source::skip, Source::at_end};

struct Free {
  void operator()(stbi_uc* p) const { stbi_image_free(p); }
};

// Where a GIF says that its first frame has a transparent colour; npos when it does not. Blocks up to the frame: extensions of sub-blocks.
size_t gif_transparency(std::string_view bytes) {
  const auto byte = [&](size_t at) { return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : size_t{0}; };
  if (!bytes.starts_with("GIF8")) return bytes.npos;
  size_t found = bytes.npos, at = 13 + (byte(10) & 0x80 ? 6u << (byte(10) & 7) : 0u);
  while (byte(at) == 0x21) {
    if (byte(at + 1) == 0xF9) found = byte(at + 3) & 1 ? at + 3 : bytes.npos;
    for (at += 2; byte(at) != 0; at += byte(at) + 1) {
    }
    ++at;
  }
  return found;
}

Image decode(std::string_view bytes, const std::string& name) {
  int width = 0, height = 0, channels = 0;
  Source source{bytes};
  const std::unique_ptr<stbi_uc, Free> pixels(stbi_load_from_callbacks(&kCallbacks, &source, &width, &height, &channels, 0));
  if (!pixels) bad_image(name, stbi_failure_reason());
  if (source.starved) bad_image(name, "is truncated");
  if (channels == 2) bad_image(name, "has gray with alpha, which is read from PNG only");
  Image image(height, width, channels);
  std::memcpy(image.mutable_row(0), pixels.get(), static_cast<size_t>(image.tensor().numel()));
  return image;
}

}  // namespace

Image decode_stb(std::string_view bytes, const std::string& name) {
  int width = 0, height = 0, channels = 0;
  Source header{bytes};
  if (!stbi_info_from_callbacks(&kCallbacks, &header, &width, &height, &channels))
    bad_image(name, bytes.empty() ? "is empty" : "is not a JPEG, PNG, BMP, GIF or PNM file that can be read");
  check_size(name, height, width, bytes.size(), kLzwRatio);
  const Image image = decode(bytes, name);
  const size_t transparency = gif_transparency(bytes);
  if (transparency == bytes.npos) return image;

  // stb_image paints transparent pixels black. Their colour is in the palette all the same: where alpha is dropped, it shows.
  std::string opaque(bytes);
  opaque[transparency] = static_cast<char>(opaque[transparency] & ~1);
  Image coloured = decode(opaque, name);
  for (int64_t i = 3; i < image.tensor().numel(); i += 4) coloured.mutable_row(0)[i] = image.row(0)[i];
  return coloured;
}

}  // namespace tapetum::data
