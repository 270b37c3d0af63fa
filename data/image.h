// Images in memory and in files: 8 bits a channel, rows from the top, RGB order.
//
// Reading: JPEG (CMYK too), PNG (palette, gray, alpha, 1 to 16 bits), BMP, GIF (first frame), PNM. An image has at most 32,768 pixels
// a side and 64 megapixels; this is checked before anything is decoded. A file that is truncated, damaged or of another format throws
// FormatError, one that cannot be opened IoError; the text names the file and the reason. JPEG and PNG give the pixels of Pillow's
// convert("RGB"), to the bit: alpha is dropped, ink of a CMYK JPEG counts as inverted, 16 bits keep their upper 8 (Pillow clips gray ones).
#pragma once
#include <string>
#include <string_view>

#include "core/size2.h"
#include "core/tensor.h"

namespace tapetum::data {

// A thin wrap around a u8 tensor [H, W, C] with 1 (gray), 3 (RGB) or 4 (RGBA) channels. Copies share pixels, as tensors do.
class Image {
 public:
  Image(int64_t height, int64_t width, int64_t channels);  // pixels are not set
  explicit Image(const Tensor& pixels);                    // throws unless u8 [H, W, C]

  int64_t height() const { return pixels_.size(0); }
  int64_t width() const { return pixels_.size(1); }
  int64_t channels() const { return pixels_.size(2); }
  const Tensor& tensor() const { return pixels_; }
  const uint8_t* row(int64_t y) const { return pixels_.data<uint8_t>() + y * width() * channels(); }
  uint8_t* mutable_row(int64_t y) { return pixels_.mutable_data<uint8_t>() + y * width() * channels(); }

 private:
  Tensor pixels_;
};

// `channels`: 1, 3, 4, or 0 for what the file has (gray with alpha comes as 4). Gray from colour is ITU-R 601 luma, alpha is dropped.
// `at_least`: a JPEG may be decoded at a half, a quarter or an eighth, as long as no side of the result falls below it; 0 = full size.
// `exif_orientation`: turned as the camera was held (data/exif.h); without it, as stored, which is what masks and boxes mostly refer to.
struct ImageOptions {
  int channels = 3;
  Size2 at_least = 0;
  bool exif_orientation = false;
};
Image read_image(const std::string& path, const ImageOptions& options);
Image read_image(const std::string& path, int channels = 3, Size2 at_least = 0);
Image decode_image(std::string_view bytes, const std::string& name, const ImageOptions& options);  // `name` is for errors
Image decode_image(std::string_view bytes, const std::string& name, int channels = 3, Size2 at_least = 0);
Image convert_channels(const Image& image, int channels);

// A label picture as i64 [H, W], values as stored: palette indices and gray levels of 1 to 16 bits without scaling. An RGB picture
// is accepted where its three channels are equal everywhere, and else throws FormatError.
Tensor read_labels(const std::string& path);
Tensor decode_labels(std::string_view bytes, const std::string& name);

std::string encode_png(const Image& image);                     // 1, 3 or 4 channels
std::string encode_jpeg(const Image& image, int quality = 90);  // 1 or 3 channels; quality 1 to 100
void write_png(const std::string& path, const Image& image);    // both atomically; throw IoError, a full disk included
void write_jpeg(const std::string& path, const Image& image, int quality = 90);

Tensor to_float(const Image& image);    // f32 [C, H, W], 0 to 1
Image from_float(const Tensor& image);  // f32 [C, H, W] of 1, 3 or 4 channels: clamped to 0..1, NaN becomes 0, rounded

}  // namespace tapetum::data
