// What the rows do not show of CUDA kernels: NaN, ties, random numbers, and errors found on the device.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "kernels/slot.h"
#include "tapetum.h"

namespace tapetum::test {
namespace {

constexpr float inf = INFINITY;

Tensor on_cuda(const Tensor& x) { return to(x, DeviceKind::cuda); }
Tensor on_cpu(const Tensor& x) { return to(x, DeviceKind::cpu); }

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

}  // namespace

TEST_CASE("cuda random: the CPU's numbers in every floating-point type", "[emulated]") {
  for (DType dtype : {DType::f64, DType::f32, DType::f16, DType::bf16})
    for (int64_t n : {0, 1, 6, 4099}) {
      INFO(name_of(dtype) << " " << n);
      const auto both = [&](auto draw) {
        manual_seed(11);
        const Tensor here = draw(Device());
        manual_seed(11);
        return same_bits(here, on_cpu(draw(Device{DeviceKind::cuda})));
      };
      REQUIRE(both([&](Device d) { return rand({n}, -1, 3, dtype, d); }));
      REQUIRE(both([&](Device d) { return bernoulli({n}, 0.3, dtype, d); }));
      if (dtype != DType::f64) REQUIRE(both([&](Device d) { return randn({n}, 1, 2, dtype, d); }));
    }
}

TEST_CASE("cuda random: normal numbers differ from the CPU's by rounding only", "[emulated]") {
  manual_seed(12);
  const Tensor here = randn({5000}, 0, 1, DType::f64);
  manual_seed(12);
  const Tensor there = on_cpu(randn({5000}, 0, 1, DType::f64, DeviceKind::cuda));
  REQUIRE(amax(abs(here - there)).item() <= 4 * 0x1p-52);
}

TEST_CASE("cuda sort: NaN is the greatest value, and equal values keep their order", "[emulated]") {
  const Tensor x = tensor({3, NAN, -0.0, 0, -inf, 3, inf, NAN}, {8});
  for (bool descending : {false, true})
    for (const char* kernel : {"topk_forward:block", "topk_forward:merge"}) {
      INFO(kernel << (descending ? " descending" : ""));
      const Tensor expected = argsort(x, 0, {.descending = descending});
      kernels::KernelGuard guard(kernel);
      REQUIRE(same_bits(on_cpu(argsort(on_cuda(x), 0, {.descending = descending})), expected));
    }
}

TEST_CASE("cuda sort: every dtype has its order, in runs too", "[emulated]") {
  manual_seed(13);
  const Tensor values = rand({2, 2500}, -100, 100, DType::f64);
  for (DType dtype : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean}) {
    INFO(name_of(dtype));
    const Tensor x = to(dtype == DType::u8 ? abs(values) : values, dtype);
    const auto [y, index] = sort(x, 1);
    const auto [cuda_y, cuda_index] = sort(on_cuda(x), 1);
    REQUIRE(same_bits(on_cpu(cuda_y), y));
    REQUIRE(same_bits(on_cpu(cuda_index), index));
  }
}

TEST_CASE("cuda topk: what lies behind the first k of a run is left alone", "[emulated]") {
  manual_seed(15);
  const Tensor x = rand({5200, 2});
  for (int64_t k : {1, 700, 3000}) {
    INFO("k " << k);
    const auto [y, index] = topk(x, k, 0);
    const auto [cuda_y, cuda_index] = topk(on_cuda(x), k, 0);
    REQUIRE(same_bits(on_cpu(cuda_y), y));
    REQUIRE(same_bits(on_cpu(cuda_index), index));
  }
}

TEST_CASE("cuda max_pool2d: a NaN wins, the first of equals stays, and padding never wins", "[emulated]") {
  const Tensor x = tensor({NAN, 5, -inf, -inf, 3, 3, 1, NAN}, {1, 1, 1, 8});
  const auto [y, index] = max_pool2d_with_indices(x, {1, 2}, {.padding = {0, 1}});
  const auto [cuda_y, cuda_index] = max_pool2d_with_indices(on_cuda(x), {1, 2}, {.padding = {0, 1}});
  REQUIRE(same_bits(on_cpu(cuda_y), y));
  REQUIRE(same_bits(on_cpu(cuda_index), index));
}

TEST_CASE("cuda clip_norm: a NaN reaches all values, whichever norm", "[emulated]") {
  for (double p : {1.0, 2.0, static_cast<double>(inf)}) {
    const Tensor g = on_cuda(where(arange(3000) == 1234, full({3000}, NAN), ones({3000})));
    const Tensor norm = clip_norm_({g}, 1, p);
    REQUIRE(std::isnan(norm.item()));
    REQUIRE(all(isnan(on_cpu(g))).item() == 1);
  }
}

TEST_CASE("cuda optimizers: a list longer than a launch takes is stepped as its tensors one by one", "[emulated]") {
  manual_seed(16);
  const Tensor lr = on_cuda(full({}, 0.1, DType::f64));
  std::vector<StepItem> together, apart;
  std::vector<Tensor> gradients;
  for (int64_t i = 0; i < 1001; ++i) {
    const Shape shape{i % 7 == 3 ? 1500 : i % 5};  // more than a block's share, and nothing
    const StepItem item{on_cuda(rand(shape)), on_cuda(randn(shape)), {on_cuda(rand(shape)), on_cuda(rand(shape))}, on_cuda(full({}, 3, DType::f64))};
    together.push_back({clone(item.value), item.source, {clone(item.state[0]), clone(item.state[1])}, clone(item.step)});
    apart.push_back(item);
    gradients.push_back(clone(item.source));
  }
  adam_step_(together, lr, {});
  for (const StepItem& item : apart) adam_step_({item}, lr, {});
  for (size_t i = 0; i < apart.size(); ++i) {
    REQUIRE(same_bits(on_cpu(together[i].value), on_cpu(apart[i].value)));
    REQUIRE(same_bits(on_cpu(together[i].state[1]), on_cpu(apart[i].state[1])));
    REQUIRE(together[i].step.item() == 4);
  }
  double squares = 0;
  for (const Tensor& g : gradients) squares += sum(square(to(g, DType::f64))).item();
  const double norm = clip_norm_(gradients, 1).item();
  REQUIRE(norm == Approx(std::sqrt(squares)).epsilon(1e-12));
  for (size_t i : {3, 998}) REQUIRE(same_bits(on_cpu(gradients[i]), on_cpu(apart[i].source * (1 / (norm + 1e-6)))));
}

TEST_CASE("cuda one_hot: the CPU's", "[emulated]") {
  const Tensor classes = tensor({3, 0, 1}, DType::i64);
  REQUIRE(same_bits(on_cpu(one_hot(on_cuda(classes), 4)), one_hot(classes, 4)));
}

TEST_CASE("cuda scatter: of equal indices the last one stays, in every dtype", "[emulated]") {
  const Tensor index = tensor({1, 0, 1, 3, 1, 3}, {6}, DType::i64), walked = tensor({1, 2, 3, 4, 5, 6}, {6});
  for (DType dtype : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean}) {
    INFO(name_of(dtype));
    const Tensor table = zeros({4}, dtype), src = to(walked, dtype);
    REQUIRE(same_bits(on_cpu(scatter(on_cuda(table), 0, on_cuda(index), on_cuda(src))), scatter(table, 0, index, src)));
    REQUIRE(same_bits(on_cpu(gather(on_cuda(src), 0, on_cuda(index))), gather(src, 0, index)));
  }
}

TEST_CASE("cuda scatter_add: the CPU's bits, few lines or many", "[emulated]") {
  manual_seed(14);
  for (const Shape& shape : {Shape{3000}, Shape{300, 40}}) {
    const Tensor table = zeros(shape.size() == 1 ? Shape{17} : Shape{17, 40}), src = rand(shape, -1, 1), index = to(rand(shape, 0, 17), DType::i64);
    REQUIRE(same_bits(on_cpu(scatter_add(on_cuda(table), 0, on_cuda(index), on_cuda(src))), scatter_add(table, 0, index, src)));
  }
}

}  // namespace tapetum::test
#endif
