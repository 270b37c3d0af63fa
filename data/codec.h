// What read_image is made of: one codec for each library. They give what is stored, as 1, 3 or 4 channels of 8 bits.
#pragma once
#include "data/image.h"

namespace tapetum::data {

constexpr int64_t kMaxSide = 32768, kMaxPixels = int64_t{64} << 20;

[[noreturn]] void bad_image(const std::string& name, std::string_view reason);  // FormatError

// Throws for sizes above the limits, and for more pixels than so many bytes can hold: a small file never makes a large allocation.
void check_size(const std::string& name, int64_t height, int64_t width, size_t bytes, int64_t pixels_per_byte);

bool is_jpeg(std::string_view bytes);
Image decode_jpeg(std::string_view bytes, const std::string& name, Size2 at_least);

bool is_png(std::string_view bytes);
Image decode_png(std::string_view bytes, const std::string& name);
Tensor decode_png_labels(std::string_view bytes, const std::string& name);  // undefined when the file is not gray or palette

Image decode_stb(std::string_view bytes, const std::string& name);

}  // namespace tapetum::data
