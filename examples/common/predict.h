// A trained model applied to an image of any size.
#pragma once
#include "data/image.h"
#include "examples/common/model_card.h"

namespace programs {

// Class of each pixel, i64 [H, W]. The image is scaled as the training images were. Large ones are cut into tiles that overlap by an
// eighth on each side; of a tile only the middle is kept, so that every pixel is seen with what surrounds it.
tapetum::Tensor predict(tapetum::models::UNet& model, const ModelCard& card, const tapetum::data::Image& image);

}  // namespace programs
