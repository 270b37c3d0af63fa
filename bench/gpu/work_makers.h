// How a row becomes a call: what the makers of ops, models and pipelines share. A maker's sizes are said in the rows' file.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/gpu/work.h"
#include "core/autograd/apply.h"
#include "core/engine/backward.h"
#include "core/ops/creation.h"
#include "core/ops/random.h"
#include "core/ops/view.h"

namespace tapetum::bench {

using Work = std::function<void()>;

struct Bench {
  const Row& row;
  Device device;

  int64_t size(size_t i) const { return row.sizes.at(i); }
  int64_t size_or(size_t i, int64_t otherwise) const { return i < row.sizes.size() ? row.sizes[i] : otherwise; }

  // Random: zeros take less time on some hardware.
  Tensor values(const Shape& shape) const { return to(rand(shape, -1, 1, DType::f32, device), row.dtype); }
  // N C H W, the first four sizes unless channels are given, in the library's own layout
  Tensor images() const { return images(size(1)); }
  Tensor images(int64_t channels) const { return channels_last(values({size(0), channels, size(2), size(3)})); }

  // The op, or its gradient with respect to the inputs that the row's `what` says.
  template <class Op> Work differentiate(std::vector<Tensor> xs, Op op) const {
    if (row.what == "forward") {
      return [=] {
        NoGrad off;
        op(xs);
      };
    }
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < xs.size(); ++i)
      if (row.what == "backward" || i == (row.what == "grad_input" ? 0u : 1u)) inputs.push_back(xs[i].set_requires_grad());
    const Tensor y = op(xs);
    const Tensor gy = rand_like(y);  // in the layout that y has
    return [=] { grad({y}, inputs, {gy}, {.retain_graph = true}); };
  }
};

using Tensors = std::vector<Tensor>;
using Makers = std::map<std::string, Work (*)(const Bench&)>;

const Makers& product_makers();  // matmul, convolution, attention
const Makers& memory_makers();   // ops that memory limits
const Makers& search_makers();   // boxes, sampling, searching, optimizers
const Makers& model_makers();    // U-Net, ViT; any other classifier is made by its name
const Makers& photo_makers();

Work classifier(const Bench& b);  // row.op is a name of models::list(). batch, pixels of a side

}  // namespace tapetum::bench
