// Which way up a photograph is: the Orientation of its EXIF block, and what it asks for.
#pragma once
#include <string_view>

#include "data/image.h"

namespace tapetum::data {

// 1 to 8, as EXIF 2.32 numbers them; 1, as stored, where a file says nothing, and where what it says is damaged. Looks at the APP1 segments of
// a JPEG and at the eXIf chunk of a PNG; XMP is not read. Whatever the bytes, nothing outside them is read and nothing is thrown.
int exif_orientation(std::string_view file);
int tiff_orientation(std::string_view tiff);  // of the block itself, which begins with II or MM

// Turned and mirrored so that it stands upright: what Pillow's ImageOps.exif_transpose does. 5 to 8 swap height and width.
Image upright(const Image& image, int orientation);
inline bool swaps_sides(int orientation) { return orientation >= 5; }

}  // namespace tapetum::data
