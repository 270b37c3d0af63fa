#include <fmt/core.h>
#include <png.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "data/codec.h"
#include "data/error_trap.h"

namespace tapetum::data {
namespace {

constexpr int64_t kDeflateRatio = 1032;  // the most that deflate can shrink

void raise(png_structp png, png_const_charp text) { static_cast<ErrorTrap*>(png_get_error_ptr(png))->raise(text); }
void ignore(png_structp, png_const_charp) {}

struct Source {
  const char* at;
  size_t left;
};
void read_bytes(png_structp png, png_bytep to, size_t n) {
  auto& source = *static_cast<Source*>(png_get_io_ptr(png));
  if (n > source.left) png_error(png, "is truncated");
  std::memcpy(to, source.at, n);
  source.at += n;
  source.left -= n;
}

class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& name) : Decoder(Source{bytes.data(), bytes.size()}, name) {
    check(runs(trap_, [&] {
      png_set_user_limits(png_, kMaxSide, kMaxSide);
      png_set_chunk_malloc_max(png_, 8 << 20);
      png_set_chunk_cache_max(png_, 100);
      png_set_read_fn(png_, &source_, read_bytes);
      png_read_info(png_, info_);
    }));
    const int64_t bits = int64_t{png_get_bit_depth(png_, info_)} * png_get_channels(png_, info_);
    check_size(name, height(), width(), bytes.size(), std::max(int64_t{1}, kDeflateRatio * 8 / bits));
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;

  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int color_type() const { return png_get_color_type(png_, info_); }
  bool has_wide_samples() const { return png_get_bit_depth(png_, info_) == 16; }

  // Everything becomes 8-bit gray, RGB or RGBA.
  void expand() {
    check(runs(trap_, [&] {
      const bool transparent = png_get_valid(png_, info_, PNG_INFO_tRNS);
      png_set_expand(png_);
      png_set_strip_16(png_);  // the upper byte, as Pillow and OpenCV take it
      if (transparent || color_type() == PNG_COLOR_TYPE_GRAY_ALPHA) png_set_gray_to_rgb(png_);
    }));
  }
  // One byte for each index or gray level below 16 bits.
  void unpack() {
    check(runs(trap_, [&] { png_set_packing(png_); }));
  }

  // Applies what was asked for; bytes in a row from then on.
  int64_t begin() {
    check(runs(trap_, [&] {
      png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    }));
    return static_cast<int64_t>(png_get_rowbytes(png_, info_));
  }
  void read(uint8_t* pixels, int64_t row_bytes) {
    std::vector<png_bytep> rows(static_cast<size_t>(height()));
    for (size_t y = 0; y < rows.size(); ++y) rows[y] = pixels + static_cast<int64_t>(y) * row_bytes;
    check(runs(trap_, [&] {
      png_read_image(png_, rows.data());
      png_read_end(png_, nullptr);
    }));
  }

 private:
  // Delegated to, so that the destructor runs when the other constructor throws.
  Decoder(Source source, const std::string& name) : source_(source), name_(name) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &trap_, raise, ignore);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) bad_image(name, "out of memory");
  }

  void check(bool ok) {
    if (ok) return;
    const std::string reason = trap_.message;
    bad_image(name_, reason);
  }

  ErrorTrap trap_;
  Source source_;
  std::string name_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

Image decode_png(std::string_view bytes, const std::string& name) {
  Decoder decoder(bytes, name);
  decoder.expand();
  const int64_t row_bytes = decoder.begin();
  Image image(decoder.height(), decoder.width(), row_bytes / decoder.width());
  decoder.read(image.mutable_row(0), row_bytes);
  return image;
}

Tensor decode_png_labels(std::string_view bytes, const std::string& name) {
  Decoder decoder(bytes, name);
  if (decoder.color_type() != PNG_COLOR_TYPE_GRAY && decoder.color_type() != PNG_COLOR_TYPE_PALETTE) return {};
  decoder.unpack();
  const int64_t row_bytes = decoder.begin();
  Tensor raw = empty({decoder.height(), row_bytes}, DType::u8), labels = empty({decoder.height(), decoder.width()}, DType::i64);
  decoder.read(raw.mutable_data<uint8_t>(), row_bytes);
  const uint8_t* from = raw.data<uint8_t>();
  int64_t* to = labels.mutable_data<int64_t>();
  for (int64_t i = 0; i < labels.numel(); ++i) to[i] = decoder.has_wide_samples() ? from[2 * i] << 8 | from[2 * i + 1] : from[i];
  return labels;
}

std::string encode_png(const Image& image) {
  ErrorTrap trap;
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &trap, raise, ignore);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  const int type = image.channels() == 1 ? PNG_COLOR_TYPE_GRAY : image.channels() == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGBA;
  const auto append = [](png_structp p, png_bytep data, size_t n) {
    static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<const char*>(data), n);
  };
  const bool ok = info && runs(trap, [&] {
                    png_set_write_fn(png, &bytes, append, nullptr);
                    png_set_IHDR(png, info, static_cast<png_uint_32>(image.width()), static_cast<png_uint_32>(image.height()), 8, type,
                                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
                    png_write_info(png, info);
                    for (int64_t y = 0; y < image.height(); ++y) png_write_row(png, image.row(y));
                    png_write_end(png, nullptr);
                  });
  png_destroy_write_struct(&png, &info);
  if (!ok) throw FormatError(fmt::format("encode_png: {}", trap.message));
  return bytes;
}

}  // namespace tapetum::data
