// Boxes, sampling, searching, optimizers.
#include <cmath>
#include <memory>

#include "bench/gpu/work_makers.h"
#include "core/ops/boxes.h"
#include "core/ops/elementwise.h"
#include "core/ops/fold.h"
#include "core/ops/grid.h"
#include "core/ops/search.h"
#include "core/ops/sort.h"
#include "optim/adam.h"

namespace tapetum::bench {
namespace {

// boxes of 10 to 100 pixels, more than a few on each other
Work suppression(const Bench& b) {
  const double side = 10 * std::sqrt(static_cast<double>(b.size(0)));
  const Shape half{b.size(0), 2};
  const Tensor corner = rand(half, 0, side, DType::f32, b.device), extent = rand(half, 10, 100, DType::f32, b.device);
  const Tensor boxes = to(cat({corner, corner + extent}, 1), b.row.dtype), scores = b.values({b.size(0)});
  return [=] { nms(boxes, scores, 0.5); };
}

// N C H W P Q; places all over the image and a little beside it
Work grid_samples(const Bench& b) {
  return b.differentiate({b.values({b.size(0), b.size(1), b.size(2), b.size(3)}), b.values({b.size(0), b.size(4), b.size(5), 2})},
                         [](const Tensors& x) { return grid_sample(x[0], x[1]); });
}

// N C H W R, padded so that there are as many windows as pixels
Work windows(const Bench& b) {
  const FoldOptions options{.padding = b.size(4) / 2};
  return b.differentiate({b.values({b.size(0), b.size(1), b.size(2), b.size(3)})},
                         [=, r = b.size(4)](const Tensors& x) { return unfold(x[0], r, options); });
}

// boundaries, values
Work search(const Bench& b) {
  const Tensor sorted = sort(b.values({b.size(0)})).values, wanted = b.values({b.size(1)});
  return [=] { searchsorted(sorted, wanted); };
}

// tensors, elements of each
Work adam_step(const Bench& b) {
  std::vector<Tensor> parameters;
  for (int64_t i = 0; i < b.size(0); ++i) {
    parameters.push_back(b.values({b.size(1)}).set_requires_grad());
    parameters.back().set_grad(b.values({b.size(1)}));
  }
  const auto optimizer = std::make_shared<optim::Adam>(parameters);
  return [=] { optimizer->step(); };
}

}  // namespace

const Makers& search_makers() {
  static const Makers makers{
      {"nms", suppression}, {"grid_sample", grid_samples}, {"unfold", windows}, {"searchsorted", search}, {"adam", adam_step},
  };
  return makers;
}

}  // namespace tapetum::bench
