#include <catch2/catch.hpp>

#include "core/autograd/modes.h"
#include "core/error.h"
#include "core/ops/creation.h"
#include "nn/containers.h"
#include "nn/dropout.h"
#include "train/timing.h"

namespace tapetum::train {
namespace {

struct Counter : nn::Layer {
  Tensor forward(const Tensor& x) override {
    ++calls;
    images = x.size(0);
    recorded |= modes.grad;
    trained |= training;
    return x;
  }
  int64_t calls = 0, images = 0;
  bool recorded = false, trained = false;
};

}  // namespace

TEST_CASE("timing: median and percentile are NumPy's, images a second those of the median") {
  const Timing t = timing_of({4, 1, 3, 2}, 5);
  CHECK(t.median == 2.5);
  CHECK(t.p95 == Approx(3.85));
  CHECK(t.fastest == 1);
  CHECK(t.images_per_second == 2);
  CHECK(t.seconds == std::vector<double>{4, 1, 3, 2});
  CHECK(timing_of({7}, 1).p95 == 7);
  CHECK_THROWS_AS(timing_of({}, 1), Error);
}

TEST_CASE("timing: the warm-up is run and not counted") {
  int calls = 0;
  const Timing t = time_calls([&] { ++calls; }, 3, Device(), {.warmup = 4, .repeats = 6});
  CHECK(calls == 10);
  CHECK(t.seconds.size() == 6);
  CHECK(t.images == 3);
}

TEST_CASE("timing: inference is neither recorded nor in training mode, which comes back afterwards") {
  Counter model;
  time_inference(model, zeros({2, 3}), {.warmup = 1, .repeats = 2});
  CHECK(model.calls == 3);
  CHECK(model.images == 2);
  CHECK_FALSE(model.recorded);
  CHECK_FALSE(model.trained);
  CHECK(model.training);
  CHECK(time_inference(model, zeros({2, 3}), {.warmup = 0, .repeats = 1, .batch = 7}).images == 7);
  CHECK(model.images == 7);
  CHECK(time_inference(model, zeros({2, 3}), {.repeats = 1, .batch = 1}).images == 1);
}

TEST_CASE("timing: options and images that make no sense") {
  Counter model;
  CHECK_THROWS_AS(time_inference(model, zeros({2}), {.warmup = -1}), Error);
  CHECK_THROWS_AS(time_inference(model, zeros({2}), {.repeats = 0}), Error);
  CHECK_THROWS_AS(time_inference(model, zeros({2}), {.batch = -1}), Error);
  CHECK_THROWS_AS(time_inference(model, zeros({0, 3})), ShapeError);
  CHECK_THROWS_AS(time_inference(model, scalar_tensor(1)), ShapeError);
  CHECK(model.calls == 0);
}

}  // namespace tapetum::train
