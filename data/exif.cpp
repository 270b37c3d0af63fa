#include "data/exif.h"

#include <algorithm>
#include <cstring>

#include "data/codec.h"

namespace tapetum::data {
namespace {

constexpr std::string_view kExif("Exif\0\0", 6);
constexpr uint32_t kOrientation = 0x0112, kByte = 1, kShort = 3, kLong = 4;
constexpr size_t kEntryBytes = 12;

// Numbers of 2 and 4 bytes in either order; 0 past the end.
struct Bytes {
  std::string_view bytes;
  bool big_endian;
  uint32_t number(size_t at, size_t size) const {
    if (at > bytes.size() || size > bytes.size() - at) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[big_endian ? at + i : at + size - 1 - i]);
    return value;
  }
};

// Segments of a JPEG up to the first scan: FF, type, two bytes of length that count themselves.
std::string_view jpeg_exif(std::string_view file) {
  const Bytes bytes{file, true};
  for (size_t at = 2; at + 4 <= file.size();) {
    const uint32_t marker = bytes.number(at, 2);
    if (marker == 0xFFFF) {  // padding
      ++at;
      continue;
    }
    const size_t length = bytes.number(at + 2, 2);
    if (marker < 0xFFC0 || marker == 0xFFDA || marker == 0xFFD9 || length < 2 || length > file.size() - at - 2) return {};
    const std::string_view content = file.substr(at + 4, length - 2);
    if (marker == 0xFFE1 && content.starts_with(kExif)) return content.substr(kExif.size());
    at += 2 + length;
  }
  return {};
}

// Chunks of a PNG: length, type, content, CRC.
std::string_view png_exif(std::string_view file) {
  const Bytes bytes{file, true};
  for (size_t at = 8; at + 12 <= file.size();) {
    const size_t length = bytes.number(at, 4);
    if (length > file.size() - at - 12) return {};
    if (file.substr(at + 4, 4) == "eXIf") return file.substr(at + 8, length);
    at += 12 + length;
  }
  return {};
}

}  // namespace

int tiff_orientation(std::string_view tiff) {
  if (!tiff.starts_with("II") && !tiff.starts_with("MM")) return 1;
  const Bytes bytes{tiff, tiff[0] == 'M'};
  const size_t directory = bytes.number(4, 4);
  if (bytes.number(2, 2) != 42 || directory < 8) return 1;
  const size_t entries = bytes.number(directory, 2);
  int orientation = 1;
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + i * kEntryBytes;
    if (at + kEntryBytes > tiff.size()) break;
    if (bytes.number(at, 2) != kOrientation) continue;
    const uint32_t type = bytes.number(at + 2, 2);
    if (bytes.number(at + 4, 4) != 1 || (type != kByte && type != kShort && type != kLong)) continue;
    const uint32_t value = bytes.number(at + 8, type == kByte ? 1 : type == kShort ? 2 : 4);
    if (value >= 1 && value <= 8) orientation = static_cast<int>(value);
  }
  return orientation;
}

int exif_orientation(std::string_view file) {
  if (is_jpeg(file)) return tiff_orientation(jpeg_exif(file));
  return is_png(file) ? tiff_orientation(png_exif(file)) : 1;
}

Image upright(const Image& image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swap = swaps_sides(orientation);
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;  // of the stored picture
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int64_t h = image.height(), w = image.width(), c = image.channels();
  Image result(swap ? w : h, swap ? h : w, c);
  for (int64_t y = 0; y < result.height(); ++y) {
    uint8_t* to = result.mutable_row(y);
    for (int64_t x = 0; x < result.width(); ++x, to += c) {
      const int64_t row = swap ? x : y, column = swap ? y : x;
      const uint8_t* from = image.row(mirror_y ? h - 1 - row : row) + (mirror_x ? w - 1 - column : column) * c;
      std::memcpy(to, from, static_cast<size_t>(c));
    }
  }
  return result;
}

}  // namespace tapetum::data
