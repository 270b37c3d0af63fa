#include "bench/gpu/work.h"

#include <cmath>
#include <map>

#include "tapetum.h"

namespace tapetum::bench {
namespace {

using Work = std::function<void()>;
using Op = std::function<Tensor(const std::vector<Tensor>&)>;

struct Bench {
  const Row& row;
  Device device;

  int64_t size(size_t i) const { return row.sizes.at(i); }
  // Random: zeros take less time on some hardware.
  Tensor values(const Shape& shape) const { return to(rand(shape, -1, 1, DType::f32, device), row.dtype); }

  // The op, or its gradient with respect to the inputs that the row's `what` says.
  Work differentiate(std::vector<Tensor> xs, Op op) const {
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
    const Tensor gy = values(y.shape());
    return [=] { grad({y}, inputs, {gy}, {.retain_graph = true}); };
  }
};

Work copy(const Bench& b) {
  return [x = b.values({b.size(0)}), y = b.values({b.size(0)})]() mutable { copy_(y, x); };
}

// M N K
Work matrix_product(const Bench& b) {
  return b.differentiate({b.values({b.size(0), b.size(2)}), b.values({b.size(2), b.size(1)})},
                         [](const std::vector<Tensor>& x) { return matmul(x[0], x[1]); });
}

// N C H W K R stride padding; in the library's own layout
Work convolution(const Bench& b) {
  const auto format = [&](const Tensor& x) { return x.size(1) < 4 ? x : channels_last(x); };
  const Conv2dOptions options{.stride = b.size(6), .padding = Size2(b.size(7))};
  return b.differentiate(
      {format(b.values({b.size(0), b.size(1), b.size(2), b.size(3)})), format(b.values({b.size(4), b.size(1), b.size(5), b.size(5)}))},
      [=](const std::vector<Tensor>& x) { return conv2d(x[0], x[1], options); });
}

// rows columns
Work softmax_lines(const Bench& b) {
  return b.differentiate({b.values({b.size(0), b.size(1)})}, [](const std::vector<Tensor>& x) { return softmax(x[0], -1); });
}

Work layer_norm_lines(const Bench& b) {
  const Shape line{b.size(1)};
  return b.differentiate({b.values({b.size(0), b.size(1)}), b.values(line), b.values(line)},
                         [=](const std::vector<Tensor>& x) { return layer_norm(x[0], line, x[1], x[2]); });
}

// N C H W, with the statistics of the batch
Work batch_norm_images(const Bench& b) {
  const Shape channels{b.size(1)};
  const Tensor mean = to(zeros(channels), b.device), variance = to(ones(channels), b.device);
  return b.differentiate({channels_last(b.values({b.size(0), b.size(1), b.size(2), b.size(3)})), b.values(channels), b.values(channels)},
                         [=](const std::vector<Tensor>& x) { return batch_norm(x[0], mean, variance, x[1], x[2], {.training = true}); });
}

// N heads tokens head
Work attention(const Bench& b) {
  const Shape shape{b.size(0), b.size(1), b.size(2), b.size(3)};
  return b.differentiate({b.values(shape), b.values(shape), b.values(shape)},
                         [](const std::vector<Tensor>& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); });
}

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
                         [](const std::vector<Tensor>& x) { return grid_sample(x[0], x[1]); });
}

// N C H W R, padded so that there are as many windows as pixels
Work windows(const Bench& b) {
  const FoldOptions options{.padding = b.size(4) / 2};
  return b.differentiate({b.values({b.size(0), b.size(1), b.size(2), b.size(3)})},
                         [=, r = b.size(4)](const std::vector<Tensor>& x) { return unfold(x[0], r, options); });
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

struct Training {
  models::UNet model;
  optim::Adam optimizer;
  Tensor images, labels;

  Training(const Bench& b, int64_t width, int64_t size, int64_t batch)
      : model({.in_channels = 3, .classes = 2, .width = width}),
        optimizer((model.to(b.device), model.to(b.row.dtype), model.parameters()), {.lr = 1e-4}),
        images(b.values({batch, 3, size, size})),
        labels(to(rand({batch, size, size}, 0, 2, DType::f32, b.device), DType::i64)) {}
  void step() {
    optimizer.zero_grad();
    cross_entropy(model(images), labels).backward();
    optimizer.step();
  }
};

// width, pixels of a side, batch; each step launched kernel by kernel, or all as one graph
Work unet_step(const Bench& b) {
  const auto training = std::make_shared<Training>(b, b.size(0), b.size(1), b.size(2));
  if (b.row.what == "step") return [=] { training->step(); };
  for (int i = 0; i < 3; ++i) training->step();  // the optimizer makes its state
  const auto graph = std::make_shared<cuda::Graph>();
  graph->capture([&] { training->step(); });
  return [=] { graph->replay(); };
}

}  // namespace

Work make_work(const Row& row, Device device) {
  static const std::map<std::string, Work (*)(const Bench&)> makers{
      {"copy", copy},           {"matmul", matrix_product},       {"conv2d", convolution},           {"softmax", softmax_lines},
      {"adam", adam_step},      {"layer_norm", layer_norm_lines}, {"batch_norm", batch_norm_images}, {"unet", unet_step},
      {"nms", suppression},     {"attention", attention},         {"grid_sample", grid_samples},     {"unfold", windows},
      {"searchsorted", search},
  };
  const auto maker = makers.find(row.op);
  if (maker == makers.end()) throw Error("bench_gpu: no op " + row.op);
  return maker->second({row, device});
}

}  // namespace tapetum::bench
