// Procedural cell microscopy with exact masks: crowded cells that touch and deform, both brighter and darker than their surroundings,
// with nuclei and texture, under uneven light, through a lens and a noisy sensor, among debris that is not labelled.
#pragma once
#include "core/size2.h"
#include "data/dataset.h"

namespace tapetum::data {

struct SyntheticCellsOptions {
  int64_t count = 96;
  Size2 size = 128;  // pixels; cells keep their size, a larger picture shows more of them
  uint64_t seed = 0;
  double radius = 15;   // mean radius of a cell, pixels
  double cover = 0.55;  // part of the area that cells are placed on
};

// Image u8 [H, W, 3] and mask i64 [H, W] of two classes: 0 background, 1 cell. A sample depends on (seed, index) alone: the mask comes from the
// geometry, before light, blur and noise. Throws ShapeError for sizes below 1 and counts below 0.
class SyntheticCells {
 public:
  explicit SyntheticCells(const SyntheticCellsOptions& options = {});
  int64_t size() const { return options_.count; }
  ImageSample get(int64_t index) const;
  ImageSample get(int64_t index, RandomStream&) const { return get(index); }

 private:
  SyntheticCellsOptions options_;
};

}  // namespace tapetum::data
