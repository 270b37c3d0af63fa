// Hooks, retained gradients, checkpoints, anomaly and inference mode, several threads.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <thread>

#include "tapetum.h"

namespace tapetum {
namespace {

Tensor leaf(double value) { return full({2}, value, DType::f64).set_requires_grad(); }
double first(const Tensor& x) { return contiguous(x.detach()).data<double>()[0]; }

}  // namespace

TEST_CASE("hooks: see a leaf's complete gradient once, and may replace it") {
  Tensor x = leaf(3);
  int calls = 0;
  double seen = 0;
  const int64_t id = register_hook(x, [&](const Tensor& g) {
    ++calls;
    seen = first(g);
    return g * 2;
  });
  sum(x * x + x).backward();
  REQUIRE(calls == 1);
  REQUIRE(seen == 7);
  REQUIRE(first(x.grad()) == 14);
  remove_hook(x, id);
  sum(x).backward();
  REQUIRE(calls == 1);
  REQUIRE(first(x.grad()) == 15);
}

TEST_CASE("hooks: on an inner tensor change what flows on") {
  Tensor x = leaf(3);
  const Tensor h = x * x;
  register_hook(h, [](const Tensor&) { return full({2}, 10, DType::f64); });
  sum(h * h).backward();
  REQUIRE(first(x.grad()) == 60);
  REQUIRE_THROWS_AS(register_hook(full({2}, 1), GradHook([](const Tensor& g) { return g; })), AutogradError);
}

TEST_CASE("hooks: a gradient of another shape is refused") {
  Tensor x = leaf(1);
  register_hook(x, [](const Tensor&) { return zeros({3}, DType::f64); });
  REQUIRE_THROWS_AS(sum(x).backward(), ShapeError);
}

TEST_CASE("retain_grad: an inner tensor keeps its gradient, also when it dies early") {
  Tensor x = leaf(3);
  const Tensor h = x * x;
  retain_grad(h);
  {
    const Tensor dies = h * 2;
    retain_grad(dies);
  }
  sum(h * h).backward();
  REQUIRE(first(h.grad()) == 18);
}

TEST_CASE("checkpoint: the same gradients, parameters included, of any order") {
  Tensor x = leaf(0.5), w = leaf(2);
  const auto segment = [&](const std::vector<Tensor>& in) { return exp(in[0] * w) * in[0]; };
  const Tensor plain = sum(segment({x})), kept = sum(checkpoint(segment, {x}));
  REQUIRE(kept.item() == plain.item());
  const auto a = grad({plain}, {x, w}, {}, {.create_graph = true}), b = grad({kept}, {x, w}, {}, {.create_graph = true});
  for (int i = 0; i < 2; ++i) REQUIRE(first(a[static_cast<size_t>(i)]) == Approx(first(b[static_cast<size_t>(i)])));
  REQUIRE(first(grad({sum(a[0])}, {w})[0]) == Approx(first(grad({sum(b[0])}, {w})[0])));
  kept.backward();
  REQUIRE(first(w.grad()) == Approx(first(a[1])));
}

TEST_CASE("checkpoint: draws the same random numbers again, and leaves the stream where it was") {
  Tensor x = ones({1000}).set_requires_grad();
  manual_seed(5);
  const Tensor y = checkpoint([](const std::vector<Tensor>& in) { return dropout(in[0], 0.5); }, {x});
  const GeneratorState after = random_state();
  sum(y * y).backward();  // 2 y * mask
  REQUIRE(random_state().calls == after.calls);
  const Tensor expected = y.detach() * 2 * 2;
  REQUIRE(sum(abs(x.grad() - expected)).item() == 0);
}

TEST_CASE("anomaly: the operation that makes the first NaN is named, forward and backward") {
  DetectAnomaly guard;
  Tensor x = leaf(-1);
  REQUIRE_THROWS_WITH(sum(log(x)), Catch::StartsWith("log: its result"));
  Tensor zero = leaf(0);
  const Tensor y = sum(sqrt(zero) * 0.0);
  REQUIRE_THROWS_WITH(y.backward(), Catch::StartsWith("sqrt: the gradient of its input 0"));
}

TEST_CASE("inference mode: its tensors never enter a recording") {
  Tensor x = leaf(1), y;
  {
    InferenceMode guard;
    y = x * 2;
  }
  REQUIRE_FALSE(y.requires_grad());
  REQUIRE_THROWS_AS(x * y, AutogradError);
  REQUIRE_NOTHROW(y * 2);
}

TEST_CASE("autograd: backward of nothing is an error") {
  REQUIRE_THROWS_AS(Tensor().backward(), AutogradError);
  REQUIRE_THROWS_AS(zeros({}).backward(), AutogradError);
}

TEST_CASE("autograd: integers are born detached") {
  Tensor x = leaf(3);
  REQUIRE_FALSE((x > 2).requires_grad());
  REQUIRE_FALSE(argmax(x).requires_grad());
  REQUIRE_THROWS_AS(zeros({2}, DType::i64).set_requires_grad(), DTypeError);
}

TEST_CASE("autograd: gradients come back in the input's dtype") {
  Tensor x = full({2}, 3, DType::f32).set_requires_grad(), w = full({2}, 2, DType::f64).set_requires_grad();
  sum(x * w).backward();
  REQUIRE(x.grad().dtype() == DType::f32);
  REQUIRE(w.grad().dtype() == DType::f64);
}

TEST_CASE("autograd: .grad never shares memory with what the user holds") {
  Tensor x = leaf(1);
  const Tensor gy = full({2}, 5, DType::f64);
  backward(x * 1, gy);
  const Tensor g = x.grad();
  backward(x * 1, gy);
  REQUIRE(first(gy) == 5);
  REQUIRE(first(g) == 10);  // accumulated in place
}

TEST_CASE("autograd: grad() runs no rule off the path") {
  struct Counter {
    static Tensor run(const Tensor& x, int& count) {
      register_hook(x, [&](const Tensor& g) {
        ++count;
        return g;
      });
      return x;
    }
  };
  Tensor x = leaf(2), w = leaf(3);
  int off_path = 0;
  const Tensor branch = Counter::run(w * w, off_path), deep = branch * w;
  const auto g = grad({sum(x * deep)}, {x});
  REQUIRE(first(g[0]) == 27);
  REQUIRE(off_path == 0);
}

TEST_CASE("autograd: backward on two threads over one leaf adds up") {
  Tensor x = leaf(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) sum(x * 2).backward();
    });
  for (auto& t : threads) t.join();
  REQUIRE(first(x.grad()) == 400);
}

TEST_CASE("in place: an expanded tensor is refused") {
  Tensor x = expand(zeros({1}), {3});
  REQUIRE_THROWS_AS(add_(x, ones({3})), ShapeError);
  Tensor empty_image = channels_last(zeros({1, 0, 4, 4}));  // strides of zero, and nothing that they could share
  REQUIRE_NOTHROW(add_(empty_image, zeros({1, 0, 4, 4})));
}

TEST_CASE("memory: counters return to where they were") {
  const size_t before = memory_allocated();
  {
    const Tensor x = zeros({1000, 1000});
    REQUIRE(memory_allocated() >= before + 4000000);
    REQUIRE(peak_memory() >= memory_allocated());
  }
  REQUIRE(memory_allocated() == before);
  release_memory();
  REQUIRE(memory_reserved() >= memory_allocated());
  REQUIRE_THROWS_AS(zeros({int64_t{1} << 45}), OutOfMemory);
}

}  // namespace tapetum
