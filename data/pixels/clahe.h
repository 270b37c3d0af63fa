// Contrast-limited adaptive histogram equalisation (Zuiderveld, 1994), as OpenCV computes it.
#pragma once
#include "core/size2.h"
#include "data/image.h"

namespace tapetum::data {

// Each of grid.h x grid.w tiles gets a table from its own histogram, clipped at clip_limit times the mean count; a pixel takes the four
// nearest tables by their distance. Colours: in L* of CIE Lab. Alpha stays. Throws ShapeError for a grid below 1 or above 256.
Image clahe(const Image& image, double clip_limit = 4, Size2 grid = 8);

}  // namespace tapetum::data
