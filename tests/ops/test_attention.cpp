#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/attention_cases.h"

namespace tapetum::test {

OP_TESTS("scaled_dot_product_attention", attention_cases)

namespace {

// softmax(q k^T / sqrt(D) + bias) v, with everything in memory.
Tensor plain(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias) {
  const Tensor s = matmul(q, transpose(k, -1, -2)) * (1 / std::sqrt(static_cast<double>(q.size(-1))));
  return matmul(softmax(s + bias, -1), v);
}

Tensor none_where(const Tensor& mask) { return masked_fill(zeros(mask.shape(), DType::f64), mask, -INFINITY); }

void check_near(const Tensor& a, const Tensor& exact, double tolerance) {
  REQUIRE(amax(abs(to(a, DType::f64) - exact)).item() <= tolerance * std::fmax(amax(abs(exact)).item(), 1));
}

// Values and gradients in f32 of `options` against plain() with `bias`, in f64.
void check_length(int64_t queries, int64_t keys, int64_t width, const AttentionOptions& options, const Tensor& bias) {
  INFO(queries << " queries, " << keys << " keys, width " << width);
  const auto leaf = [&](int64_t n) { return rand({2, n, width}, -2, 2).set_requires_grad(); };
  const std::vector<Tensor> x = {leaf(queries), leaf(keys), leaf(keys)};
  std::vector<Tensor> exact;
  for (const Tensor& t : x) exact.push_back(to(t.detach(), DType::f64).set_requires_grad());
  const Tensor y = scaled_dot_product_attention(x[0], x[1], x[2], options), expected = plain(exact[0], exact[1], exact[2], bias);
  check_near(y.detach(), expected.detach(), 3e-6);
  const Tensor gy = rand(y.shape(), -1, 1);
  const auto gs = grad({y}, x, {gy}), expected_gs = grad({expected}, exact, {to(gy, DType::f64)});
  for (size_t i = 0; i < 3; ++i) check_near(gs[i], expected_gs[i], 1e-5);
}

}  // namespace

TEST_CASE("scaled_dot_product_attention: every length from one token on is softmax(q k^T) v") {
  manual_seed(3);
  const Tensor nothing = scalar_tensor(0, DType::f64);
  for (int64_t n : {1, 2, 3, 7, 8, 15, 17, 31, 33, 63, 64, 65, 95, 96, 97, 127, 129, 191, 193, 197, 255, 257, 289, 385, 511, 513}) {
    const int64_t m = n * 7 / 5 + 1, width = 1 + n % 37;
    check_length(n, n, width, {}, nothing);
    check_length(m, n, width, {}, nothing);
    check_length(n, m, width, {.causal = true}, none_where(triu(ones({n, m}, DType::boolean), 1)));
    check_length(m, n, width, {.causal = true}, none_where(triu(ones({m, n}, DType::boolean), 1)));
    const Tensor bias = rand({n, m}, -3, 3), mask = logical_or(rand({2, n, m}) > 0.4, eye(n, m) > 0);
    check_length(n, m, width, {.mask = bias}, to(bias, DType::f64));
    check_length(n, m, width, {.mask = mask}, none_where(logical_not(mask)));
  }
}

TEST_CASE("scaled_dot_product_attention: thousands of tokens") {
  manual_seed(4);
  const Tensor nothing = scalar_tensor(0, DType::f64);
  check_length(1031, 2050, 3, {}, nothing);
  check_length(4100, 4100, 5, {}, nothing);
}

TEST_CASE("scaled_dot_product_attention: memory is linear in the number of tokens") {
  constexpr int64_t tokens = 4096;
  const auto leaf = [] { return rand({1, 2, tokens, 8}).set_requires_grad(); };
  const Tensor q = leaf(), k = leaf(), v = leaf();
  const size_t before = memory_allocated();
  reset_peak_memory();
  sum(scaled_dot_product_attention(q, k, v)).backward();
  REQUIRE(peak_memory() - before < sizeof(float) * tokens * tokens / 8);
}

TEST_CASE("scaled_dot_product_attention: a query without keys gets zeros and no gradient") {
  const Tensor q = rand({3, 4}).set_requires_grad(), k = rand({5, 4}).set_requires_grad(), v = rand({5, 4}).set_requires_grad();
  Tensor mask = ones({3, 5}, DType::boolean);
  mask(1).fill_(0);
  for (bool additive : {false, true}) {
    const Tensor m = additive ? masked_fill(zeros({3, 5}), logical_not(mask), -INFINITY) : mask;
    for (bool create_graph : {false, true}) {
      const Tensor y = scaled_dot_product_attention(q, k, v, {.mask = m});
      const auto gs = grad({y}, {q, k, v}, {rand({3, 4})}, {.create_graph = create_graph});
      REQUIRE(amax(abs(select(y, 0, 1))).item() == 0);
      REQUIRE(amax(abs(select(y, 0, 0))).item() > 0);
      REQUIRE(amax(abs(select(gs[0], 0, 1))).item() == 0);
      for (const Tensor& g : gs) REQUIRE(all(isfinite(g)).item() == 1);
    }
  }
}

TEST_CASE("scaled_dot_product_attention: weights are dropped as dropout drops them") {
  const Tensor q = rand({2, 3, 10, 4}), k = rand({2, 3, 13, 4}), v = rand({2, 3, 13, 4});
  for (double p : {0.1, 0.7, 1.0}) {
    manual_seed(11);
    const Tensor y = scaled_dot_product_attention(q, k, v, {.dropout = p});
    manual_seed(11);
    const Tensor expected = matmul(dropout(softmax(matmul(q, transpose(k, 2, 3)) * 0.5, 3), p), v);
    REQUIRE(amax(abs(y - expected)).item() < 1e-5);
  }
}

TEST_CASE("scaled_dot_product_attention: NaN and infinity stay in their row") {
  Tensor q = rand({3, 4});
  const Tensor k = rand({5, 4}), v = rand({5, 4});
  q(1, 2).fill_(NAN);
  const Tensor y = scaled_dot_product_attention(q, k, v);
  REQUIRE(all(isnan(select(y, 0, 1))).item() == 1);
  REQUIRE(all(isfinite(select(y, 0, 0))).item() == 1);
  REQUIRE(all(isfinite(select(y, 0, 2))).item() == 1);
  REQUIRE(all(isfinite(scaled_dot_product_attention(rand({3, 4}) * 1e4, k * 1e4, v))).item() == 1);
}

#if defined(TAPETUM_WITH_CUDA)

namespace {

// Each kernel that takes these 16-bit tensors.
template <class F> void for_each_16_bit_kernel(F f) {
  for (const char* kernel : {"hopper", "flash", "tiles"}) {
    INFO(kernel);
    const std::string forward = std::string("attention_forward:") + kernel, backward = std::string("attention_backward:") + kernel;
    kernels::KernelGuard forward_guard(forward), backward_guard(backward);
    f();
  }
}

// What the kernels since `last_run() = {}` may be wrong by, each with a rounding to f16.
double bound_of_runs() { return kernels::last_run().error * 0x1p-23 + kernels::last_run().runs * 0x1p-11; }

Tensor half_on_cuda(const Tensor& x) { return to(to(x, DType::f16), DeviceKind::cuda); }
Tensor on_cpu(const Tensor& x) { return to(to(x, DeviceKind::cpu), DType::f64); }

// Value and gradients by each 16-bit kernel against those of softmax(q k^T / sqrt(D) + bias) v in f64.
void check_16_bit_kernels(const std::vector<Tensor>& inputs, const AttentionOptions& options, const Tensor& bias) {
  std::vector<Tensor> x, exact;
  for (const Tensor& t : inputs) {
    x.push_back(half_on_cuda(t).set_requires_grad());
    exact.push_back(on_cpu(x.back().detach()).set_requires_grad());
  }
  const Tensor expected = plain(exact[0], exact[1], exact[2], bias), gy = half_on_cuda(rand(expected.shape(), -1, 1));
  const auto expected_gs = grad({expected}, exact, {on_cpu(gy)});
  for_each_16_bit_kernel([&] {
    kernels::last_run() = {};
    const Tensor y = scaled_dot_product_attention(x[0], x[1], x[2], options);
    const auto gs = grad({y}, x, {gy});
    check_near(on_cpu(y.detach()), expected.detach(), bound_of_runs());
    for (size_t i = 0; i < 3; ++i) check_near(on_cpu(gs[i]), expected_gs[i], bound_of_runs());
  });
}

}  // namespace

TEST_CASE("scaled_dot_product_attention: every length on tensor cores", "[emulated]") {
  manual_seed(9);
  for (int64_t n : {1, 16, 17, 63, 65, 127, 128, 129, 257}) {
    const int64_t m = n * 7 / 5 + 1, width = 8 * (1 + n % 16), queries = n % 4 == 1 ? m : n, keys = n % 4 == 1 ? n : m;
    const bool causal = n % 2;
    INFO(queries << " queries, " << keys << " keys, width " << width);
    const auto random = [&](int64_t tokens) { return rand({2, tokens, width}, -2, 2); };
    const Tensor hidden = none_where(triu(ones({queries, keys}, DType::boolean), 1));
    check_16_bit_kernels({random(queries), random(keys), random(keys)}, {.causal = causal}, causal ? hidden : scalar_tensor(0, DType::f64));
  }
}

TEST_CASE("scaled_dot_product_attention: thousands of tokens on tensor cores", "[emulated]") {
  manual_seed(8);
  constexpr int64_t n = 4100, m = 600;
  const Tensor q = rand({1, n, 16}, -2, 2), k = rand({1, m, 16}, -2, 2), v = rand({1, m, 16}, -2, 2);
  check_16_bit_kernels({q, k, v}, {.causal = true}, none_where(triu(ones({n, m}, DType::boolean), 1)));
}

TEST_CASE("scaled_dot_product_attention: NaN stays in its row on tensor cores", "[emulated]") {
  for (int64_t row : {0, 70, 129}) {
    Tensor x = rand({130, 64});
    x(row, 5).fill_(NAN);
    const Tensor finite = half_on_cuda(rand({130, 64})), nan = half_on_cuda(x).set_requires_grad();
    for_each_16_bit_kernel([&] {
      const auto check_rows = [](const Tensor& y, int64_t first, int64_t count) {
        const Tensor wrong = isnan(on_cpu(y));
        REQUIRE(all(narrow(wrong, 0, first, count)).item() == 1);
        REQUIRE(sum(to(wrong, DType::f64)).item() == 64 * static_cast<double>(count));
      };
      const Tensor of_query = scaled_dot_product_attention(nan, finite, finite, {.causal = true});
      check_rows(of_query.detach(), row, 1);
      check_rows(grad({of_query}, {nan}, {finite})[0], row, 1);
      check_rows(scaled_dot_product_attention(finite, nan.detach(), finite, {.causal = true}), row, 130 - row);  // the queries that meet it
    });
  }
}

TEST_CASE("scaled_dot_product_attention: NaN and great scores and queries of few keys in f32 on cuda", "[emulated]") {
  Tensor q = rand({70, 64}, -1, 1), mask = ones({70, 70}, DType::boolean);
  const Tensor k = rand({70, 64}, -1, 1), v = rand({70, 64}, -1, 1);
  mask(3).fill_(0);                     // no key
  narrow(mask(66), 0, 0, 69).fill_(0);  // the last one, after tiles without any
  const auto attend = [&](const auto& place) { return on_cpu(scaled_dot_product_attention(place(q), place(k), place(v), {.mask = place(mask)})); };
  const Tensor expected = attend([](const Tensor& x) { return x.dtype() == DType::boolean ? x : to(x, DType::f64); });
  q(5, 7).fill_(NAN);
  q(6).fill_(1e4);
  for (const char* kernel : {"registers", "tiles"}) {
    INFO(kernel);
    const kernels::KernelGuard guard(std::string("attention_forward:") + kernel);
    const Tensor y = attend([](const Tensor& x) { return to(x, DeviceKind::cuda); });
    for (const auto& [first, count] : {std::pair{0, 5}, {7, 63}}) REQUIRE(amax(abs(narrow(y - expected, 0, first, count))).item() < 1e-5);
    REQUIRE(amax(abs(select(y, 0, 3))).item() == 0);
    REQUIRE(all(isnan(select(y, 0, 5))).item() == 1);
    REQUIRE(all(isfinite(select(y, 0, 6))).item() == 1);
  }
}

TEST_CASE("scaled_dot_product_attention: tensor cores read heads inside of rows", "[emulated]") {
  const Tensor x = half_on_cuda(rand({2, 140, 3, 24}, -2, 2)), inside = transpose(x, 1, 2), dense = contiguous(inside);
  for_each_16_bit_kernel([&] {
    const auto results = [&](const Tensor& rows) {
      const Tensor leaf = rows.detach().set_requires_grad(), y = scaled_dot_product_attention(leaf, leaf, leaf);
      return std::vector{y.detach(), grad({y}, {leaf}, {rows})[0]};
    };
    const auto ys = results(inside), expected = results(dense);
    for (size_t i = 0; i < ys.size(); ++i) REQUIRE(amax(abs(on_cpu(ys[i]) - on_cpu(expected[i]))).item() == 0);
    const Tensor large = inside * 1e4;
    REQUIRE(all(isfinite(on_cpu(scaled_dot_product_attention(large, large, inside)))).item() == 1);
  });
}

#endif

TEST_CASE("scaled_dot_product_attention: the result lies in memory as the queries do") {
  const Tensor x = rand({2, 5, 3, 4});
  const Tensor q = transpose(x, 1, 2);  // heads inside of rows
  REQUIRE(transpose(scaled_dot_product_attention(q, q, q), 1, 2).is_contiguous());
  REQUIRE(scaled_dot_product_attention(x, x, x).is_contiguous());
}

TEST_CASE("scaled_dot_product_attention: 16-bit tensors are computed in f32") {
  const Tensor q = rand({2, 9, 8}, -2, 2), bias = rand({9, 9});
  for (DType dtype : {DType::f16, DType::bf16}) {
    const Tensor h = to(q, dtype), b = to(bias, dtype), w = to(h, DType::f32);
    const Tensor y = scaled_dot_product_attention(h, h, h, {.mask = b});
    REQUIRE(y.dtype() == dtype);
    REQUIRE(amax(abs(to(y, DType::f32) - to(to(scaled_dot_product_attention(w, w, w, {.mask = to(b, DType::f32)}), dtype), DType::f32))).item() == 0);
  }
}

TEST_CASE("scaled_dot_product_attention: mistakes are named") {
  const Tensor q = rand({2, 5, 4}), k = rand({2, 6, 4});
  using Catch::Contains;
  REQUIRE_THROWS_WITH(scaled_dot_product_attention(q, rand({2, 6, 3}), k), Contains("got [2, 5, 4], [2, 6, 3] and [2, 6, 4]"));
  REQUIRE_THROWS_AS(scaled_dot_product_attention(q, k, rand({2, 7, 4})), ShapeError);
  REQUIRE_THROWS_AS(scaled_dot_product_attention(q, rand({3, 6, 4}), k), ShapeError);
  REQUIRE_THROWS_AS(scaled_dot_product_attention(rand({4}), k, k), ShapeError);
  REQUIRE_THROWS_AS(scaled_dot_product_attention(q, to(k, DType::f64), k), DTypeError);
  REQUIRE_THROWS_AS(scaled_dot_product_attention(to(q, DType::i64), to(k, DType::i64), to(k, DType::i64)), DTypeError);
  REQUIRE_THROWS_WITH(scaled_dot_product_attention(q, k, k, {.mask = ones({5, 5})}), Contains("do not broadcast"));
  REQUIRE_THROWS_WITH(scaled_dot_product_attention(q, k, k, {.mask = ones({3, 2, 5, 6})}), Contains("the mask must broadcast to [2, 5, 6]"));
  REQUIRE_THROWS_WITH(scaled_dot_product_attention(q, k, k, {.mask = ones({5, 6}, DType::i64)}), Contains("a mask of bool or f32, got i64"));
  REQUIRE_THROWS_WITH(scaled_dot_product_attention(q, k, k, {.dropout = 1.5}), Contains("dropout must lie in [0, 1], got 1.5"));
}

}  // namespace tapetum::test
