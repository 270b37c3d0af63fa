// PyTorch's side of bench_overhead, compiled by bench/versus_pytorch: least nanoseconds of its calls, as JSON.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

#include <chrono>
#include <cstdio>

namespace {

template <class F> double least_nanoseconds(int calls, F f) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (int run = 0; run < 20; ++run) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) f();
    const double ns = std::chrono::duration<double, std::nano>(Clock::now() - start).count() / calls;
    if (run && ns < best) best = ns;
  }
  return best;
}

at::Tensor learnt(at::IntArrayRef sizes) { return at::rand(sizes).set_requires_grad(true); }

}  // namespace

int main() {
  const at::Tensor a = learnt({64}), b = learnt({64});
  const double add = least_nanoseconds(20'000, [&] {
    const at::Tensor y = at::add(a, b);
    asm volatile("" ::"r"(y.unsafeGetTensorImpl()) : "memory");
  });
  const at::Tensor x = at::rand({8, 16}), labels = at::randint(10, {8}, at::kLong);
  const std::vector<at::Tensor> parameters{learnt({32, 16}), learnt({32}), learnt({10, 32}), learnt({10})};
  const double model = least_nanoseconds(2'000, [&] {
    for (at::Tensor p : parameters) p.mutable_grad() = at::Tensor();
    const at::Tensor hidden = at::relu(at::linear(x, parameters[0], parameters[1]));
    const at::Tensor loss = at::cross_entropy_loss(at::linear(hidden, parameters[2], parameters[3]), labels);
    torch::autograd::backward({loss}, {});
  });
  std::printf("{\"add_recorded\": %.1f, \"small_model\": %.1f}\n", add, model);
}
