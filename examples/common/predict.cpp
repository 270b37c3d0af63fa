#include "examples/common/predict.h"

#include <algorithm>
#include <cmath>

#include "core/autograd/modes.h"
#include "core/ops/reduce.h"
#include "core/ops/resize.h"
#include "core/ops/view.h"

namespace programs {
namespace {

using namespace tapetum;

constexpr int64_t kWhole = 1024 * 1024;  // pixels at the model's scale that are computed in one piece
constexpr int64_t kTile = 1024;          // side of a tile at the model's scale, at least

// One axis of the tiling: tile i covers [begin, end) of the image and gives [keep_begin, keep_end).
struct Span {
  int64_t begin, end, keep_begin, keep_end;
};

std::vector<Span> cut(int64_t size, int64_t tile) {
  if (size <= tile) return {{0, size, 0, size}};
  const int64_t margin = tile / 8, step = tile - 2 * margin;
  std::vector<Span> spans;
  for (int64_t keep = 0; keep < size; keep = spans.back().keep_end) {
    const int64_t begin = std::clamp<int64_t>(keep - margin, 0, size - tile), end = begin + tile;
    spans.push_back({begin, end, keep, end == size ? size : begin + margin + step});
  }
  return spans;
}

// A side at the model's scale; the network halves it `depth` times, so it cannot be smaller than 2^depth.
int64_t scaled(int64_t side, double scale, int64_t depth) {
  return std::max(int64_t{1} << depth, static_cast<int64_t>(std::llround(static_cast<double>(side) * scale)));
}

struct Scale {
  double h, w;
};
Scale scale_of(const ModelCard& c) {
  return {static_cast<double>(c.size.h) / static_cast<double>(c.source_size.h), static_cast<double>(c.size.w) / static_cast<double>(c.source_size.w)};
}

Size2 scaled(const Tensor& image, const ModelCard& card) {
  const Scale scale = scale_of(card);
  return {scaled(image.size(2), scale.h, card.unet.depth), scaled(image.size(3), scale.w, card.unet.depth)};
}

// [1, C, H, W] in another size.
Tensor resized(const Tensor& x, Size2 size, bool antialias) {
  return Size2(x.size(2), x.size(3)) == size ? x : interpolate(x, {.size = size, .mode = Interpolation::bilinear, .antialias = antialias});
}

// Classes of one piece, [1, 3, H, W] in and i64 [H, W] out, by way of the model's scale. The moments are the whole image's.
Tensor predict_piece(models::UNet& model, const ModelCard& card, const Tensor& piece, const Moments& m) {
  const Tensor logits = model(normalise(resized(piece, scaled(piece, card), true), m));
  const Size2 size(piece.size(2), piece.size(3));
  return reshape(argmax(resized(logits, size, false), 1), {size.h, size.w});
}

}  // namespace

Tensor predict(models::UNet& model, const ModelCard& card, const data::Image& image) {
  NoGrad no_grad;
  const Tensor pixels = reshape(data::to_float(image), {1, image.channels(), image.height(), image.width()});
  const Size2 inner = scaled(pixels, card);
  const Moments m = moments(resized(pixels, inner, true));
  if (inner.h * inner.w <= kWhole) return predict_piece(model, card, pixels, m);

  const Scale scale = scale_of(card);
  const auto tile = [](int64_t side, double factor) {
    return std::max<int64_t>(4, std::llround(static_cast<double>(std::max(kTile, side)) / factor));
  };
  Tensor labels = empty({image.height(), image.width()}, DType::i64);
  for (const Span& y : cut(image.height(), tile(card.size.h, scale.h)))
    for (const Span& x : cut(image.width(), tile(card.size.w, scale.w))) {
      const Tensor piece = predict_piece(model, card, contiguous(slice(slice(pixels, 2, y.begin, y.end), 3, x.begin, x.end)), m);
      const Tensor kept = slice(slice(piece, 0, y.keep_begin - y.begin, y.keep_end - y.begin), 1, x.keep_begin - x.begin, x.keep_end - x.begin);
      Tensor hole = slice(slice(labels, 0, y.keep_begin, y.keep_end), 1, x.keep_begin, x.keep_end);
      copy_(hole, kept);
    }
  return labels;
}

}  // namespace programs
