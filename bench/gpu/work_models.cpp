// Whole networks: a step of training, launched op by op or as one graph, and inference.
#include <memory>

#include "bench/gpu/work_makers.h"
#include "core/autograd/autocast.h"
#include "core/cuda_graph.h"
#include "core/ops/loss.h"
#include "models/create.h"
#include "models/unet.h"
#include "optim/adam.h"

namespace tapetum::bench {
namespace {

class Training {
 public:
  Training(nn::Layer& model, const Tensor& images, const Tensor& labels, bool mixed)
      : model_(model), optimizer_(model.parameters(), {.lr = 1e-4}), images_(images), labels_(labels), mixed_(mixed) {}
  void step() {
    optimizer_.zero_grad();
    loss().backward();
    optimizer_.step();
  }

 private:
  Tensor loss() {
    const Autocast amp(images_.device(), DType::bf16, mixed_);
    return cross_entropy(model_(images_), labels_);
  }

  nn::Layer& model_;
  optim::Adam optimizer_;
  Tensor images_, labels_;
  bool mixed_;
};

Work graph_of(const Work& step) {
  for (int i = 0; i < 3; ++i) step();  // the optimizer makes its state
  const auto graph = std::make_shared<cuda::Graph>();
  graph->capture(step);
  return [=] { graph->replay(); };
}

// `what` is step, graph (the same as one launch), autocast (in bf16 where that pays) or inference. labels are shaped `labels` below `classes`.
Work work_of(const Bench& b, std::shared_ptr<nn::Layer> model, const Tensor& images, const Shape& labels, int64_t classes) {
  model->to(b.device);
  model->to(b.row.dtype);
  if (b.row.what == "inference") {
    model->eval();
    return [=] {
      NoGrad off;
      (*model)(images);
    };
  }
  const Tensor wanted = to(rand(labels, 0, static_cast<double>(classes), DType::f32, b.device), DType::i64);
  const auto training = std::make_shared<Training>(*model, images, wanted, b.row.what == "autocast");
  const Work step = [model, training] { training->step(); };
  return b.row.what == "graph" ? graph_of(step) : step;
}

// width, pixels of a side, batch
Work unet(const Bench& b) {
  const int64_t width = b.size(0), size = b.size(1), batch = b.size(2);
  const auto model = std::make_shared<models::UNet>(models::UNetOptions{.in_channels = 3, .classes = 2, .width = width});
  return work_of(b, model, b.values({batch, 3, size, size}), {batch, size, size}, 2);
}

}  // namespace

Work classifier(const Bench& b) {
  const int64_t batch = b.size(0), size = b.size(1);
  const auto box = std::make_shared<nn::Box<models::Classifier>>(models::create(b.row.op, {.classes = 1000, .image_size = size}));
  return work_of(b, std::shared_ptr<nn::Layer>(box, &**box), b.values({batch, 3, size, size}), {batch}, 1000);
}

const Makers& model_makers() {
  static const Makers makers{{"unet", unet}};
  return makers;
}

}  // namespace tapetum::bench
