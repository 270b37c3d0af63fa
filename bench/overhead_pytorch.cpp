// PyTorch's side of bench_overhead, compiled by bench/versus_pytorch: nanoseconds of an add of two 64-element tensors, recorded.
#include <ATen/ATen.h>

#include <chrono>
#include <cstdio>

int main() {
  const at::Tensor a = at::rand({64}).set_requires_grad(true), b = at::rand({64}).set_requires_grad(true);
  using Clock = std::chrono::steady_clock;
  constexpr int calls = 20'000;
  double best = 1e9;
  for (int run = 0; run < 20; ++run) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) {
      const at::Tensor y = at::add(a, b);
      asm volatile("" ::"r"(y.unsafeGetTensorImpl()) : "memory");
    }
    const double ns = std::chrono::duration<double, std::nano>(Clock::now() - start).count() / calls;
    if (run && ns < best) best = ns;
  }
  std::printf("%.1f\n", best);
}
