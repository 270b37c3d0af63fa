#include "data/prepared.h"

#include "core/error.h"

namespace tapetum::data {

Prepared::Prepared(ClassificationData dataset, const Preprocess& preprocess, Transform augment)
    : dataset_(std::move(dataset)), preprocess_(preprocess), augment_(std::move(augment)) {}

ClassificationSample Prepared::get(int64_t index, RandomStream& stream) const {
  ClassificationSample sample = dataset_.get(index, stream);
  Preprocess p = preprocess_;
  if (augment_) {
    ImageSample picture;
    picture.image = sample.image;
    augment_(picture, stream);
    sample.image = picture.image;
  }
  const Image image(sample.image);
  if (image.height() == p.crop.h && image.width() == p.crop.w) p.resize = 0;
  sample.image = preprocess(image, p);
  return sample;
}

}  // namespace tapetum::data
