// Procedural pictures of shapes with a class each: for trying a classifier where there is no data. Place, size, angle, colours, texture, light and
// noise vary; a shape is told by its outline alone.
#pragma once
#include <string>
#include <vector>

#include "data/classification.h"

namespace tapetum::data {

struct SyntheticShapesOptions {
  int64_t count = 2000;
  int64_t size = 32;  // pixels of a side
  uint64_t seed = 0;
};

// Eight classes, by turns: sample i is of class i % 8. Images are u8 [size, size, 3]; each depends on (seed, index) alone. Throws ShapeError for a
// negative count and sizes below 8.
class SyntheticShapes {
 public:
  explicit SyntheticShapes(const SyntheticShapesOptions& options = {});
  int64_t size() const { return options_.count; }
  ClassificationSample get(int64_t index) const;
  ClassificationSample get(int64_t index, RandomStream&) const { return get(index); }
  const std::vector<std::string>& classes() const;
  std::vector<int64_t> labels() const;

 private:
  SyntheticShapesOptions options_;
};

}  // namespace tapetum::data
