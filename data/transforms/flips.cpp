#include "data/transforms/flips.h"

#include "data/transforms/targets.h"

namespace tapetum::data {
namespace {

// f moves the pixels of image and mask alike, `map` their centres.
template <class F> void move(ImageSample& sample, const Image& image, F f, const Projection& map) {
  sample.image = f(image.tensor());
  if (sample.mask.defined()) sample.mask = f(sample.mask);
  move_targets(sample, map, size_of_image(sample));
}

// Mirrors of the last column or row, counted from 0.
Projection mirror_x(const Image& image) { return translation(static_cast<double>(image.width() - 1), 0) * scaling(-1, 1); }
Projection mirror_y(const Image& image) { return translation(0, static_cast<double>(image.height() - 1)) * scaling(1, -1); }
Projection swap_axes() { return {{0, 1, 0, 1, 0, 0, 0, 0, 1}}; }

}  // namespace

void HorizontalFlip::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  move(
      sample, image, [](const Tensor& t) { return flip_horizontal(t); }, mirror_x(image));
}

void VerticalFlip::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  move(
      sample, image, [](const Tensor& t) { return flip_vertical(t); }, mirror_y(image));
}

void Transpose::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  move(
      sample, image, [](const Tensor& t) { return transpose(t); }, swap_axes());
}

void RandomRotate90::operator()(ImageSample& sample, RandomStream& stream) const {
  if (!stream.chance(p)) return;
  const Image image = checked_image_of(kName, sample);
  const int64_t turns = stream.integer(4);
  const Projection maps[] = {Projection{}, swap_axes() * mirror_x(image), mirror_x(image) * mirror_y(image), swap_axes() * mirror_y(image)};
  move(
      sample, image, [&](const Tensor& t) { return rotate90(t, turns); }, maps[turns]);
}

}  // namespace tapetum::data
