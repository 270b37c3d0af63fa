// A sample with all kinds of targets, and every transform with options of its own.
#pragma once
#include <string>
#include <vector>

#include "data/image.h"
#include "data/transforms/pipeline.h"

namespace tapetum::data::test {

// Two upright rectangles, of labels 1 and 2, on a background: gray value 60 or 120 on 10, plus 20 in each further channel; their boxes,
// labels 7 and 8, and their middles as keypoints. Sizes below 8 have no targets but the mask.
ImageSample scene(Size2 size, int64_t channels = 3);

// A JSON object for each transform that can be named; every option is given, and differs from its default.
const std::vector<std::string>& examples();
std::vector<Transform> example_transforms(double p);  // the same with another p

bool same(const Tensor& a, const Tensor& b);  // undefined, or bit for bit
bool same(const ImageSample& a, const ImageSample& b);
ImageSample copy(const ImageSample& s);  // with memory of its own

}  // namespace tapetum::data::test
