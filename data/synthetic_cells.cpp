#include "data/synthetic_cells.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "data/image.h"
#include "data/synthetic/appearance.h"

namespace tapetum::data {

SyntheticCells::SyntheticCells(const SyntheticCellsOptions& options) : options_(options) {
  const auto& o = options_;
  if (o.count < 0 || o.size.h < 1 || o.size.w < 1 || !(o.radius >= 2) || !(o.cover >= 0 && o.cover <= 4))
    throw ShapeError(fmt::format(
        "synthetic_cells: expected count >= 0, sizes >= 1, radius >= 2 and cover in 0..4, got count {}, size {} x {}, radius {}, cover {}", o.count,
        o.size.h, o.size.w, o.radius, o.cover));
}

ImageSample SyntheticCells::get(int64_t index) const {
  if (index < 0 || index >= size()) throw ShapeError(fmt::format("synthetic_cells: expected an index below {}, got {}", size(), index));
  RandomStream stream(options_.seed, static_cast<uint64_t>(index));
  const Tissue tissue = grow_tissue(stream, options_.size, options_.radius, options_.cover);
  Planes scene = paint(stream, tissue);
  const Camera camera{.blur = stream.uniform(0.4, 0.8), .photons = stream.uniform(250, 700), .read_noise = stream.uniform(0.006, 0.015)};
  expose(stream, scene, camera);

  Tensor image = empty({3, options_.size.h, options_.size.w});
  float* to = image.mutable_data<float>();
  for (const Plane& plane : scene) to = std::copy(plane.values.begin(), plane.values.end(), to);
  ImageSample sample;
  sample.image = from_float(image).tensor();
  sample.mask = empty({options_.size.h, options_.size.w}, DType::i64);
  std::transform(tissue.owner.begin(), tissue.owner.end(), sample.mask.mutable_data<int64_t>(), [](int owner) { return owner >= 0; });
  return sample;
}

}  // namespace tapetum::data
