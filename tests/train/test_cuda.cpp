// Training's surroundings with a model on a device: everything that looks at numbers on the host must fetch them.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>

#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/loss.h"
#include "core/ops/random.h"
#include "core/ops/reduce.h"
#include "nn/containers.h"
#include "nn/linear.h"
#include "nn/shape.h"
#include "optim/adam.h"
#include "tests/folder.h"
#include "train/classification_metrics.h"
#include "train/distillation.h"
#include "train/early_stopping.h"
#include "train/ensemble.h"
#include "train/lr_finder.h"
#include "train/tensorboard.h"
#include "train/timing.h"

namespace tapetum::train {

TEST_CASE("train: metrics, ensembles, timing, early stopping, distillation and the rate finder on a device agree with the host", "[emulated]") {
  manual_seed(1);
  const Device cuda("cuda");
  nn::Sequential a(nn::Linear(4, 3)), b(nn::Linear(4, 3));
  const Tensor x = randn({6, 4}), labels = tensor({0, 1, 2, 0, 1, 2}, DType::i64);
  const auto judged = [&](const Tensor& images, const Tensor& truth) {
    ClassificationMetrics m(3);
    m.update(log(Ensemble({&a, &b})(images)), truth);
    return m.result();
  };
  const ClassificationResult host = judged(x, labels);
  const Tensor loss = distillation_loss(a(x), b(x), labels);
  EarlyStopping stopping;
  stopping.update(1, a);
  a.to(cuda), b.to(cuda);
  const Tensor there = to(x, cuda), classes = to(labels, cuda);
  const ClassificationResult device = judged(there, classes);
  CHECK(device.accuracy == host.accuracy);
  CHECK(device.roc_auc == Approx(host.roc_auc));
  CHECK(device.calibration_error == Approx(host.calibration_error).margin(1e-6));
  CHECK(judged(there, labels).accuracy == host.accuracy);
  CHECK(Ensemble({&a, &b}, {.vote = Vote::hard}).predict(there).device() == cuda);
  CHECK(distillation_loss(a(there), b(there), classes).item() == Approx(loss.item()));
  CHECK(time_inference(a, there, {.warmup = 1, .repeats = 2, .batch = 3}).images == 3);

  optim::Adam optimizer(a.parameters(), {.lr = 1e-3});
  std::vector<Tensor> batches{there};
  const auto step = [&](const Tensor& batch) {
    optimizer.zero_grad();
    const Tensor y = cross_entropy(a(batch), classes);
    y.backward();
    optimizer.step();
    return y.detach();
  };
  CHECK(find_lr(a, optimizer, batches, step, {.start = 1e-3, .end = 1, .steps = 8}).lr.size() == 8);
  CHECK(judged(there, classes).roc_auc == device.roc_auc);
  step(there);
  stopping.restore(a);
  CHECK(judged(there, classes).roc_auc == device.roc_auc);
  CHECK(a.parameters()[0].device() == cuda);

  test::Folder folder;
  SummaryWriter writer(folder / "events");
  writer.add_histogram("weights", a.parameters()[0], 1);
  writer.add_image("image", full({1, 2, 2}, 1, DType::f32, cuda), 1);
}

}  // namespace tapetum::train
#endif
