#include <stdio.h>  // jpeglib.h needs FILE

#include <jpeglib.h>

#include <jerror.h>

#include <fmt/core.h>

#include <cstdlib>

#include "core/error.h"
#include "data/codec.h"
#include "data/error_trap.h"

namespace tapetum::data {
namespace {

constexpr int kMaxScans = 200;  // a progressive file of a few kilobytes may ask for thousands of passes over a large image

struct JpegErrors : jpeg_error_mgr {
  ErrorTrap trap;
};

void raise(j_common_ptr c) {
  char text[JMSG_LENGTH_MAX];
  c->err->format_message(c, text);
  static_cast<JpegErrors*>(c->err)->trap.raise(text);
}

// Warnings mean lost pixels, except these, which decoders everywhere accept.
void warn(j_common_ptr c, int level) {
  if (level >= 0) return;
  switch (c->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_TOO_MUCH_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
      return;
    default:
      raise(c);
  }
}

void limit_scans(j_common_ptr c) {
  if (reinterpret_cast<j_decompress_ptr>(c)->input_scan_number > kMaxScans) static_cast<JpegErrors*>(c->err)->trap.raise("has too many scans");
}

jpeg_error_mgr* prepare(JpegErrors& errors) {
  jpeg_std_error(&errors);
  errors.error_exit = raise;
  errors.emit_message = warn;
  return &errors;
}

struct Decoder {
  jpeg_decompress_struct c{};
  jpeg_progress_mgr progress{};
  JpegErrors errors{};

  Decoder() {
    c.err = prepare(errors);
    progress.progress_monitor = limit_scans;
  }
  ~Decoder() { jpeg_destroy_decompress(&c); }
};

// Ink is stored inverted, as Adobe's programs do; Pillow, OpenCV and we take every CMYK file as theirs, with their marker or without it.
void cmyk_to_rgb(const uint8_t* from, uint8_t* to, int64_t width) {
  for (int64_t x = 0; x < width; ++x, from += 4, to += 3)
    for (int i = 0; i < 3; ++i) {
      const int ink = (255 - from[i]) * from[3] + 128;
      to[i] = static_cast<uint8_t>(from[3] - ((ink + (ink >> 8)) >> 8));  // from[3] - (255 - from[i]) * from[3] / 255, as Pillow rounds it
    }
}

unsigned smallest_scale(const jpeg_decompress_struct& c, Size2 at_least) {
  if (at_least.h <= 0 || at_least.w <= 0) return 1;
  unsigned scale = 8;
  while (scale > 1 && (c.image_height / scale < at_least.h || c.image_width / scale < at_least.w)) scale /= 2;
  return scale;
}

}  // namespace

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }

Image decode_jpeg(std::string_view bytes, const std::string& name, Size2 at_least) {
  Decoder d;
  auto& c = d.c;
  const auto check = [&](bool ok) {
    if (!ok) bad_image(name, d.errors.trap.message);
  };
  check(runs(d.errors.trap, [&] {
    jpeg_create_decompress(&c);
    c.progress = &d.progress;
    jpeg_mem_src(&c, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&c, TRUE);
  }));
  check_size(name, c.image_height, c.image_width, bytes.size(), 8 * DCTSIZE2);  // a block of 64 pixels takes one bit or more

  const bool cmyk = c.jpeg_color_space == JCS_CMYK || c.jpeg_color_space == JCS_YCCK, gray = c.jpeg_color_space == JCS_GRAYSCALE;
  check(runs(d.errors.trap, [&] {
    c.out_color_space = cmyk ? JCS_CMYK : gray ? JCS_GRAYSCALE : JCS_RGB;
    c.scale_num = 1;
    c.scale_denom = smallest_scale(c, at_least);
    jpeg_start_decompress(&c);
  }));
  Image image(c.output_height, c.output_width, gray ? 1 : 3);
  Tensor ink = empty({cmyk ? image.width() * 4 : 0}, DType::u8);
  uint8_t *pixels = image.mutable_row(0), *line = ink.mutable_data<uint8_t>();
  const int64_t row_bytes = image.width() * image.channels();
  check(runs(d.errors.trap, [&] {
    while (c.output_scanline < c.output_height) {
      uint8_t* row = pixels + c.output_scanline * row_bytes;
      JSAMPROW target = cmyk ? line : row;
      jpeg_read_scanlines(&c, &target, 1);
      if (cmyk) cmyk_to_rgb(line, row, c.output_width);
    }
    jpeg_finish_decompress(&c);
  }));
  return image;
}

std::string encode_jpeg(const Image& image, int quality) {
  if (image.channels() == 4) throw FormatError("encode_jpeg: expected 1 or 3 channels, got 4");
  if (quality < 1 || quality > 100) throw FormatError(fmt::format("encode_jpeg: quality is 1 to 100, got {}", quality));
  jpeg_compress_struct c{};
  JpegErrors errors{};
  c.err = prepare(errors);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  const int64_t row_bytes = image.width() * image.channels();
  const uint8_t* pixels = image.row(0);
  const bool ok = runs(errors.trap, [&] {
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &buffer, &size);
    c.image_width = static_cast<JDIMENSION>(image.width());
    c.image_height = static_cast<JDIMENSION>(image.height());
    c.input_components = static_cast<int>(image.channels());
    c.in_color_space = image.channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, quality, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
      JSAMPROW row = const_cast<uint8_t*>(pixels + c.next_scanline * row_bytes);
      jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
  });
  jpeg_destroy_compress(&c);
  std::string bytes(reinterpret_cast<const char*>(buffer), ok ? size : 0);
  std::free(buffer);
  if (!ok) throw FormatError(fmt::format("encode_jpeg: {}", errors.trap.message));
  return bytes;
}

}  // namespace tapetum::data
