#include "tests/data/pictures.h"

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

namespace tapetum::data::test {
namespace {

std::string big_endian(uint32_t x) {
  return {static_cast<char>(x >> 24), static_cast<char>(x >> 16), static_cast<char>(x >> 8), static_cast<char>(x)};
}

uint32_t crc32(const std::string& bytes) {
  uint32_t crc = ~0u;
  for (unsigned char byte : bytes) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

uint32_t adler32(const std::string& bytes) {
  uint32_t a = 1, b = 0;
  for (unsigned char byte : bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

std::string chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<uint32_t>(data.size())) + type + data + big_endian(crc32(type + data));
}

// One stored (not compressed) deflate block: at most 65,535 bytes.
std::string stored(const std::string& data) {
  const auto n = static_cast<uint16_t>(data.size());
  const char head[] = {0x78, 0x01, 0x01, static_cast<char>(n), static_cast<char>(n >> 8), static_cast<char>(~n), static_cast<char>(~n >> 8)};
  return std::string(head, sizeof head) + data + big_endian(adler32(data));
}

std::string png(int64_t width, int64_t height, char bits, char color_type, const std::string& palette, const std::string& rows) {
  std::string header = big_endian(static_cast<uint32_t>(width)) + big_endian(static_cast<uint32_t>(height));
  header += {bits, color_type, 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + (palette.empty() ? "" : chunk("PLTE", palette)) + chunk("IDAT", stored(rows)) +
         chunk("IEND", "");
}

}  // namespace

Image gradient(Size2 size, int channels) {
  Image image(size.h, size.w, channels);
  for (int64_t y = 0; y < size.h; ++y)
    for (int64_t x = 0; x < size.w; ++x)
      for (int c = 0; c < channels; ++c) image.mutable_row(y)[x * channels + c] = static_cast<uint8_t>(10 * c + (c + 1) * x + y);
  return image;
}

std::string indexed_png(const std::vector<uint8_t>& indices, int64_t width) {
  std::string palette, rows;
  for (int i = 0; i < 16; ++i) palette += {static_cast<char>(10 * i), 0, static_cast<char>(255)};
  const auto height = static_cast<int64_t>(indices.size()) / width;
  for (int64_t y = 0; y < height; ++y) {
    rows += '\0';
    for (int64_t x = 0; x < width; x += 2) {
      const int low = x + 1 < width ? indices[y * width + x + 1] : 0;
      rows += static_cast<char>(indices[y * width + x] << 4 | low);
    }
  }
  return png(width, height, 4, 3, palette, rows);
}

std::string wide_png(const std::vector<uint16_t>& values, int64_t width) {
  std::string rows;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % static_cast<size_t>(width) == 0) rows += '\0';
    rows += {static_cast<char>(values[i] >> 8), static_cast<char>(values[i])};
  }
  return png(width, static_cast<int64_t>(values.size()) / width, 16, 0, "", rows);
}

void repair_png_checksums(std::string& bytes) {
  for (size_t at = 8; at + 12 <= bytes.size();) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>(bytes[at + i]);
    if (length > bytes.size() - at - 12) return;
    bytes.replace(at + 8 + length, 4, big_endian(crc32(bytes.substr(at + 4, length + 4))));
    at += length + 12;
  }
}

void set_png_size(std::string& bytes, uint32_t width, uint32_t height) {
  bytes.replace(16, 8, big_endian(width) + big_endian(height));
  repair_png_checksums(bytes);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "tapetum-XXXXXX";
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder at " + pattern);
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}
std::string TemporaryFolder::make(const std::string& name) const {
  std::filesystem::create_directories(*this / name);
  return *this / name;
}

}  // namespace tapetum::data::test
