// Types, conversion and promotion; strides; data from outside; numbers at random.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/ops/promotion.h"
#include "kernels/parallel.h"
#include "tapetum.h"

namespace tapetum {
namespace {

const DType kAll[] = {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean};

}  // namespace

TEST_CASE("half: every f16 value survives float and back; rounding is to nearest even") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    Half h;
    h.bits = static_cast<uint16_t>(bits);
    const float f = static_cast<float>(h);
    if (f != f)
      REQUIRE(static_cast<float>(Half(f)) != static_cast<float>(Half(f)));
    else
      REQUIRE(Half(f).bits == h.bits);
  }
  REQUIRE(Half(65504.0f).bits == 0x7BFF);
  REQUIRE(Half(65519.9f).bits == 0x7BFF);
  REQUIRE(Half(65520.0f).bits == 0x7C00);
  REQUIRE(Half(1 + 0x1p-11f).bits == 0x3C00);
  REQUIRE(Half(1 + 3 * 0x1p-11f).bits == 0x3C02);
  REQUIRE(Half(0x1p-24f).bits == 1);
  REQUIRE(Half(0x1p-25f).bits == 0);
  REQUIRE(BFloat16(1 + 0x1p-8f).bits == 0x3F80);
  REQUIRE(BFloat16(1 + 3 * 0x1p-8f).bits == 0x3F82);
}

TEST_CASE("to: every pair of dtypes") {
  for (DType from : kAll)
    for (DType to_type : kAll) {
      const Tensor y = to(tensor({0, 1, 3}, from), to_type);
      REQUIRE(y.dtype() == to_type);
      const double three = from == DType::boolean || to_type == DType::boolean ? 1 : 3;
      REQUIRE(to(y, DType::f64).data<double>()[2] == three);
    }
  REQUIRE(to(tensor({-1.7, 2.7}), DType::i32).data<int32_t>()[0] == -1);
  REQUIRE(to(tensor({300}, DType::i64), DType::u8).data<uint8_t>()[0] == 44);
  REQUIRE_NOTHROW(to(tensor({std::numeric_limits<double>::quiet_NaN(), 1e30}), DType::i64));
}

TEST_CASE("promotion: the rule") {
  REQUIRE(promote(DType::f32, DType::i64) == DType::f32);
  REQUIRE(promote(DType::f16, DType::bf16) == DType::f32);
  REQUIRE(promote(DType::u8, DType::i8) == DType::i32);
  REQUIRE(promote(DType::boolean, DType::u8) == DType::u8);
  REQUIRE((zeros({2}) + scalar_tensor(1, DType::f64)).dtype() == DType::f32);
  REQUIRE((zeros({2}, DType::i32) + scalar_tensor(1, DType::f64)).dtype() == DType::f64);
  REQUIRE((zeros({2}, DType::i64) * 2).dtype() == DType::i64);
  REQUIRE((zeros({2}, DType::i64) * 2.0).dtype() == DType::f32);
  REQUIRE((zeros({2}, DType::boolean) + 1).dtype() == DType::i64);
  REQUIRE((ones({2}, DType::i64) / 2).dtype() == DType::f32);
  REQUIRE((ones({2}, DType::f16) * ones({2}, DType::f16)).dtype() == DType::f16);
  REQUIRE(exp(ones({2}, DType::i64)).dtype() == DType::f32);
  REQUIRE(sum(ones({2}, DType::u8)).dtype() == DType::i64);
  REQUIRE(sum(full({300}, 1, DType::boolean)).item() == 300);
}

TEST_CASE("integers: exact beyond 2^53, and they wrap around") {
  const Tensor big = full({1}, 0, DType::i64);
  Tensor x = big;
  x.mutable_data<int64_t>()[0] = (int64_t{1} << 60) + 1;
  REQUIRE((x + 1).data<int64_t>()[0] == (int64_t{1} << 60) + 2);
  REQUIRE((x * 16).data<int64_t>()[0] == 16);
  REQUIRE(sum(x).dtype() == DType::i64);
  REQUIRE(static_cast<int64_t>(amax(x).data<int64_t>()[0]) == (int64_t{1} << 60) + 1);
}

TEST_CASE("comparison: an integer tensor with a fraction") {
  const Tensor x = tensor({0, 1, 2}, DType::i64);
  REQUIRE(sum(x < 1.5).item() == 2);
  REQUIRE(sum(x == 1).item() == 1);
}

TEST_CASE("nan: maximum, amax and relu keep it") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = tensor({1, nan, 3});
  REQUIRE(std::isnan(amax(x).item()));
  REQUIRE(argmax(x).item() == 1);
  REQUIRE(std::isnan(maximum(x, zeros({3})).data<float>()[1]));
  REQUIRE(std::isnan(relu(x).data<float>()[1]));
  REQUIRE(std::isnan(sum(x).item()));
}

TEST_CASE("from_blob: sees the owner's memory, strided too") {
  float values[6] = {0, 1, 2, 3, 4, 5};
  Tensor x = from_blob(values, {2, 3}, DType::f32);
  values[4] = 40;
  REQUIRE(x.data<float>()[4] == 40);
  add_(x, ones({2, 3}));
  REQUIRE(values[0] == 1);
  const Tensor t = from_blob(values, {3, 2}, {1, 3}, DType::f32);
  REQUIRE(contiguous(t).data<float>()[3] == 41);
  REQUIRE_THROWS_AS(from_blob(values, {3}, {1, 1}, DType::f32), ShapeError);
}

TEST_CASE("creation: sequences") {
  REQUIRE(arange(2, 11, 3).shape() == Shape{3});
  REQUIRE(arange(0, 1, 0.25, DType::f64).data<double>()[3] == 0.75);
  REQUIRE(arange(0, 1, 0.25).dtype() == DType::f32);
  REQUIRE(arange(2, 5).data<int64_t>()[2] == 4);
  REQUIRE(arange(5, 2, -1).data<int64_t>()[2] == 3);
  REQUIRE(linspace(0, 1, 3).data<float>()[1] == 0.5f);
  REQUIRE(linspace(0, 0.1, 11, DType::f64).data<double>()[10] == 0.1);
  REQUIRE(sum(eye(3, 5)).item() == 3);
  REQUIRE_THROWS_AS(arange(0, 1, 0), Error);
}

TEST_CASE("random: the same numbers at any thread count, and other ones at each call") {
  const int before = kernels::thread_count();
  std::vector<Tensor> runs;
  for (int threads : {1, 2, 4}) {
    kernels::set_thread_count(threads);
    manual_seed(11);
    runs.push_back(randn({100003}));
  }
  kernels::set_thread_count(before);
  for (const Tensor& r : runs) REQUIRE(std::memcmp(r.raw(), runs[0].raw(), 4 * 100003) == 0);
  REQUIRE(sum(randn({1000}) == slice(runs[0], 0, 0, 1000)).item() < 10);
  REQUIRE(mean(runs[0]).item() == Approx(0).margin(0.02));
  REQUIRE(std(runs[0]).item() == Approx(1).margin(0.02));
}

TEST_CASE("random: a tensor like another has its layout, and the numbers of any layout") {
  const Tensor x = zeros({2, 3, 4, 5}, DType::f64), y = channels_last(x);
  manual_seed(5);
  const Tensor a = rand_like(x), b = randn_like(x);
  manual_seed(5);
  const Tensor c = rand_like(y), d = randn_like(y);
  REQUIRE(c.is_channels_last());
  REQUIRE(c.dtype() == DType::f64);
  REQUIRE(all(a == c).item() == 1);
  REQUIRE(all(b == d).item() == 1);
  REQUIRE_THROWS_AS(rand_like(to(x, DType::i32)), DTypeError);
}

TEST_CASE("random: distributions") {
  manual_seed(3);
  REQUIRE(mean(bernoulli({50000}, 0.3)).item() == Approx(0.3).margin(0.01));
  const Tensor t = trunc_normal({50000}, 0, 1, -1, 2);
  REQUIRE(amin(t).item() >= -1);
  REQUIRE(amax(t).item() <= 2);
  REQUIRE(mean(t).item() == Approx(0.2296).margin(0.02));
  const Tensor n = randint(3, 7, {1000});
  REQUIRE(amin(n).item() == 3);
  REQUIRE(amax(n).item() == 6);
  const Tensor chance = tensor({0, 1, 1, 0}, DType::f64), drawn = bernoulli(chance);
  REQUIRE(drawn.dtype() == DType::f64);
  REQUIRE(sum(drawn == chance).item() == 4);
  REQUIRE_THROWS_AS(bernoulli(tensor({0.5, 1.5})), Error);
  const Tensor p = randperm(100);
  REQUIRE(sum(p).item() == 4950);
  REQUIRE(sum(p == arange(100)).item() < 20);
  const Tensor d = dropout(ones({10000}), 0.25);
  REQUIRE(mean(d).item() == Approx(1).margin(0.05));
  REQUIRE(mean(dropout(ones({100}), 0.25, false)).item() == 1);
  REQUIRE(sum(dropout2d(ones({2, 8, 3, 3}), 0.5) != 0, {2, 3}).numel() == 16);
  REQUIRE_THROWS_AS(dropout(ones({2}), 1.5), Error);
}

TEST_CASE("meta: shapes without data") {
  const Tensor x = zeros({2, 3, 8, 8}, DType::f32, DeviceKind::meta);
  const Tensor y = conv2d(relu(x) * 2 + 1, zeros({4, 3, 3, 3}, DType::f32, DeviceKind::meta), {.padding = 1});
  REQUIRE(y.shape() == Shape{2, 4, 8, 8});
  REQUIRE(sum(y, {1}).shape() == Shape{2, 8, 8});
  REQUIRE_THROWS_AS(sum(y).item(), DeviceError);
}

}  // namespace tapetum
