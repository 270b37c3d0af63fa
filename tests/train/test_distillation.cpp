#include <catch2/catch.hpp>

#include <cmath>

#include "core/engine/grad_check.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "core/ops/elementwise.h"
#include "core/ops/loss.h"
#include "core/ops/random.h"
#include "core/ops/reduce.h"
#include "core/serialization/safetensors.h"
#include "tests/fixtures.h"
#include "train/distillation.h"

namespace tapetum::train {
namespace {

const Tensor kLabels = tensor({0, 2, 1}, {3}, DType::i64);

}  // namespace

TEST_CASE("distillation_loss: loss and gradient are PyTorch's", "[parity]") {
  const Safetensors file = load(test::fixture("distillation.safetensors"));
  for (const std::string name : {"usual", "cold", "teacher_alone", "labels_alone", "hot"}) {
    INFO(name);
    const double* o = file.at(name + ".options").data<double>();
    const Tensor x = file.at("student").clone().set_requires_grad();
    const Tensor loss = distillation_loss(x, file.at("teacher"), file.at("labels"), {.temperature = o[0], .alpha = o[1]});
    loss.backward();
    CHECK(loss.item() == Approx(file.at(name + ".loss").item()).epsilon(1e-12));
    CHECK(amax(abs(x.grad() - file.at(name + ".gx"))).item() < 1e-13);
  }
}

TEST_CASE("distillation_loss: first and second gradient match finite differences", "[grad]") {
  const Tensor student = randn({3, 4}, 0, 1, DType::f64).set_requires_grad(), teacher = randn({3, 4}, 0, 1, DType::f64);
  const auto f = [&](const std::vector<Tensor>& x) { return distillation_loss(x[0], teacher, kLabels, {.temperature = 3, .alpha = 0.7}); };
  CHECK(check_gradient(f, {student}).ok(1e-6));
  CHECK(check_second_gradient(f, {student}).ok(1e-6));
}

TEST_CASE("distillation_loss: the teacher gets no gradient, its own logits no loss") {
  const Tensor student = randn({3, 4}).set_requires_grad(), teacher = randn({3, 4}).set_requires_grad();
  distillation_loss(student, teacher, kLabels).backward();
  CHECK_FALSE(teacher.grad().defined());
  CHECK(std::abs(distillation_loss(student, student, Tensor(), {.alpha = 1}).item()) < 1e-6);
}

TEST_CASE("distillation_loss: every pixel of a dense prediction is a sample") {
  const Tensor s = randn({2, 3, 4, 5}), t = randn({2, 3, 4, 5}), labels = zeros({2, 4, 5}, DType::i64);
  const auto rows = [](const Tensor& x) { return x.permute({0, 2, 3, 1}).reshape({40, 3}); };
  CHECK(distillation_loss(s, t, labels).item() == Approx(distillation_loss(rows(s), rows(t), labels.reshape({40})).item()));
}

TEST_CASE("distillation_loss: certain teachers, one class, and what makes no sense") {
  const Tensor s = zeros({3, 4});
  CHECK(std::isfinite(distillation_loss(s, full({3, 4}, 1e4) * eye(3, 4), kLabels).item()));
  CHECK(distillation_loss(zeros({3, 1}), zeros({3, 1}), zeros({3}, DType::i64)).item() == 0);
  CHECK(std::isnan(distillation_loss(s, full({3, 4}, NAN), kLabels).item()));
  CHECK_THROWS_WITH(distillation_loss(s, zeros({3, 5}), kLabels),
                    "distillation_loss: student and teacher must be logits [N, C, ...] of one shape, got [3, 4] and [3, 5]");
  CHECK_THROWS_AS(distillation_loss(zeros({4}), zeros({4}), kLabels), ShapeError);
  for (double t : {0.0, -1.0, double(NAN), HUGE_VAL}) CHECK_THROWS_AS(distillation_loss(s, s, kLabels, {.temperature = t}), Error);
  for (double a : {-0.1, 1.1, double(NAN)}) CHECK_THROWS_AS(distillation_loss(s, s, kLabels, {.alpha = a}), Error);
  CHECK_THROWS_AS(distillation_loss(s, s, Tensor()), Error);
}

}  // namespace tapetum::train
