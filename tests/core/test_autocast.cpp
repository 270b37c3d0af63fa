#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

#include "core/cuda.h"
#include "tapetum.h"

namespace tapetum {
namespace {

Tensor values(const Shape& shape, uint64_t seed) {
  manual_seed(seed);
  return rand(shape, -1, 1);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(contiguous(a).raw(), contiguous(b).raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

// A user's own op, as it is and with a policy.
struct DoubledOp {
  static constexpr OpInfo info{"doubled"};
  using Options = NoOptions;
  static Tensor forward(Context&, const Options&, const Tensor& x) { return x + x; }
  static Gradients backward(const Context&, const Options&, const Tensor& gy) { return {gy * 2}; }
};
struct LoweredOp : DoubledOp {
  static constexpr OpInfo info{"lowered", Autocast::lower};
  // The parts of an op run in the types it was given: exp asks for f32 elsewhere.
  static Tensor forward(Context&, const Options&, const Tensor& x) { return exp(x); }
};
struct WidestOp : DoubledOp {
  static constexpr OpInfo info{"widest", Autocast::widest};
  static Tensor forward(Context&, const Options&, TensorList xs) { return xs[0]; }
  static Gradients backward(const Context&, const Options&, const Tensor& gy) { return {gy, Tensor()}; }
};

struct CountCasts : Tracer {
  void op(const OpInfo& info, const std::string&, const Tensor*, size_t, const Tensor*, size_t) override {
    casts += std::strcmp(info.name, "to") == 0;
  }
  int casts = 0;
};

struct Traced : ModesGuard {
  explicit Traced(Tracer& t) { modes.tracer = &t; }
};

const Device cpu{};

}  // namespace

TEST_CASE("autocast: convolutions run in 16 bits, losses in f32, and gradients of parameters are f32") {
  Tensor x = values({2, 3, 8, 8}, 1), w = values({4, 3, 3, 3}, 2).set_requires_grad(), b = values({4}, 3).set_requires_grad();
  Tensor y, loss;
  {
    Autocast amp(cpu, DType::bf16);
    y = conv2d(x, w, b);
    loss = mse_loss(y, zeros(y.shape()));
  }
  REQUIRE(y.dtype() == DType::bf16);
  REQUIRE(loss.dtype() == DType::f32);
  REQUIRE(conv2d(x, w, b).dtype() == DType::f32);
  loss.backward();
  REQUIRE(w.grad().dtype() == DType::f32);
  REQUIRE(b.grad().dtype() == DType::f32);
  const Tensor exact = grad({mse_loss(conv2d(x, w, b), zeros(y.shape()))}, {w})[0];
  REQUIRE(norm(w.grad() - exact).item() < 0.01 * norm(exact).item());
}

TEST_CASE("autocast: guards nest, the innermost counts, and a guard can switch it off") {
  const Tensor a = values({4, 4}, 1);
  Autocast outer(cpu, DType::bf16);
  REQUIRE(matmul(a, a).dtype() == DType::bf16);
  {
    Autocast inner(cpu, DType::f16);
    REQUIRE(matmul(a, a).dtype() == DType::f16);
    {
      Autocast off(cpu, DType::f16, false);
      REQUIRE(matmul(a, a).dtype() == DType::f32);
    }
    REQUIRE(matmul(a, a).dtype() == DType::f16);
  }
  REQUIRE(matmul(a, a).dtype() == DType::bf16);
  NoGrad no_grad;
  REQUIRE(matmul(a, a).dtype() == DType::bf16);
  InferenceMode inference;
  REQUIRE(matmul(a, a).dtype() == DType::bf16);
}

TEST_CASE("autocast: f64, integers, tensors of other devices and what is not listed stay as they are") {
  Autocast amp(cpu, DType::bf16);
  const Tensor d = to(values({4, 4}, 1), DType::f64), f = values({4, 4}, 1);
  REQUIRE(matmul(d, d).dtype() == DType::f64);
  REQUIRE(exp(d).dtype() == DType::f64);
  REQUIRE(sum(arange(4)).dtype() == DType::i64);
  REQUIRE(apply<DoubledOp>({}, f).dtype() == DType::f32);
  REQUIRE(apply<LoweredOp>({}, f).dtype() == DType::bf16);
  const Tensor h = to(f, DType::bf16);
  REQUIRE(apply<WidestOp>({}, TensorList{h, f}).dtype() == DType::f32);
  REQUIRE(apply<WidestOp>({}, TensorList{h, h}).dtype() == DType::bf16);
  Autocast other(DeviceKind::cuda, DType::f16);
  REQUIRE(matmul(f, f).dtype() == DType::f32);
  REQUIRE_THROWS_WITH(Autocast(cpu, DType::f32), "Autocast: expected f16 or bf16, got f32");
}

TEST_CASE("autocast: the meta device knows the dtypes of results") {
  Autocast amp(DeviceKind::cuda, DType::f16);
  const Tensor x = empty({2, 3, 8, 8}, DType::f32, DeviceKind::meta), w = empty({4, 3, 3, 3}, DType::f32, DeviceKind::meta);
  const Tensor y = conv2d(x, w);
  REQUIRE(y.dtype() == DType::f16);
  REQUIRE(softmax(y, 1).dtype() == DType::f32);
}

TEST_CASE("autocast: a parameter that is used twice is cast once, anew when it was changed, and forgotten at the end") {
  Tensor x = to(values({4, 4}, 1), DType::bf16), w = values({4, 4}, 2).set_requires_grad();
  CountCasts count;
  {
    Autocast amp(cpu, DType::bf16);
    Traced traced(count);
    const Tensor once = matmul(matmul(x, w), w);
    REQUIRE(count.casts == 1);
    REQUIRE(autocast_cache_size() == 1);
    {
      Autocast inner(cpu, DType::bf16);
      matmul(x, w);
    }
    REQUIRE(count.casts == 1);  // an inner guard's end forgets nothing
    {
      NoGrad no_grad;
      matmul(x, w);  // a cast that is not recorded is another one
      w.mul_(full({}, 2));
    }
    REQUIRE(count.casts == 2);
    const Tensor changed = matmul(matmul(x, w), w);
    REQUIRE(count.casts == 3);
    matmul(x, w * 1);  // no leaf
    matmul(x, w * 1);
    REQUIRE(count.casts == 5);
    REQUIRE(norm(changed - once * 4).item() == 0);
  }
  REQUIRE(autocast_cache_size() == 0);
}

TEST_CASE("autocast: losses that share a cast can go backward one after the other, inside the guard or outside") {
  Tensor x = values({4, 4}, 1), w = values({4, 4}, 2).set_requires_grad();
  Tensor first, second;
  {
    Autocast amp(cpu, DType::bf16);
    sum(matmul(x, w)).backward();
    first = sum(matmul(x, w));
    second = sum(matmul(x * 2, w));
  }
  const Tensor once = clone(w.grad());
  first.backward();
  second.backward();
  REQUIRE(norm(w.grad() - once * 4).item() == 0);
}

TEST_CASE("autocast: backward inside the guard gives the bits that it gives outside") {
  Tensor x = values({2, 3, 8, 8}, 1), w = values({4, 3, 3, 3}, 2).set_requires_grad();
  const auto gradient = [&](bool inside) {
    w.set_grad({});
    std::optional<Autocast> amp(std::in_place, cpu, DType::bf16);
    const Tensor loss = mean(softmax(conv2d(x, w), 1) * conv2d(x, w));
    if (!inside) amp.reset();
    loss.backward();
    return w.grad();
  };
  REQUIRE(same_bits(gradient(true), gradient(false)));
}

TEST_CASE("autocast: a gradient through a cast has a gradient") {
  Tensor x = values({3, 4}, 1), w = values({4, 4}, 2).set_requires_grad();
  const auto second = [&](bool enabled) {
    Tensor y;
    {
      Autocast amp(cpu, DType::bf16, enabled);
      y = sum(square(matmul(x, w)) * matmul(x, w));
    }
    const Tensor g = grad({y}, {w}, {}, {.create_graph = true})[0];
    REQUIRE(g.dtype() == DType::f32);
    return grad({sum(g * g)}, {w})[0];
  };
  const Tensor exact = second(false), lowered = second(true);
  REQUIRE(lowered.dtype() == DType::f32);
  REQUIRE(norm(lowered - exact).item() < 0.05 * norm(exact).item());
  REQUIRE(norm(lowered - exact).item() > 0);
}

TEST_CASE("autocast: a checkpoint computes its segment again under the autocast of the first time") {
  Tensor x = values({2, 3, 8, 8}, 1).set_requires_grad(), w = values({4, 3, 3, 3}, 2).set_requires_grad();
  const auto segment = [&](const std::vector<Tensor>& in) { return relu(conv2d(in[0], w)); };
  const auto run = [&](bool again) {
    x.set_grad({});
    w.set_grad({});
    Tensor loss;
    {
      Autocast amp(cpu, DType::bf16);
      const Tensor y = again ? checkpoint(segment, {x}) : segment({x});
      REQUIRE(y.dtype() == DType::bf16);
      loss = mean(square(y));
    }
    loss.backward();
    return std::vector<Tensor>{x.grad(), w.grad()};
  };
  const auto kept = run(false), computed = run(true);
  REQUIRE(same_bits(kept[0], computed[0]));
  REQUIRE(same_bits(kept[1], computed[1]));
  REQUIRE(autocast_cache_size() == 0);
}

TEST_CASE("autocast: activations stay in 16 bits from convolution over batch norm to concatenation, with f32 statistics") {
  Tensor x = values({2, 3, 8, 8}, 1), w = values({4, 3, 3, 3}, 2).set_requires_grad();
  nn::BatchNorm2d norm_layer(4);
  Tensor y;
  {
    Autocast amp(cpu, DType::bf16);
    y = relu(norm_layer(conv2d(x, w)));
    REQUIRE(y.dtype() == DType::bf16);
    const Tensor pooled = max_pool2d(y, 2);
    REQUIRE(pooled.dtype() == DType::bf16);
    y = cat({pooled, pooled}, 1);
    REQUIRE(y.dtype() == DType::bf16);
  }
  mean(y).backward();
  for (const Tensor& p : norm_layer.parameters()) {
    REQUIRE(p.dtype() == DType::f32);
    REQUIRE(p.grad().dtype() == DType::f32);
  }
  REQUIRE(norm_layer.state_dict().at("running_var").dtype() == DType::f32);
}

TEST_CASE("autocast: another thread begins without it") {
  Autocast amp(cpu, DType::bf16);
  DType there = DType::bf16;
  std::thread([&] { there = matmul(ones({2, 2}), ones({2, 2})).dtype(); }).join();
  REQUIRE(there == DType::f32);
}

}  // namespace tapetum
