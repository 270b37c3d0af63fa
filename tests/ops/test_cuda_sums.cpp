// CUDA kernels that sum, on what is too large or too odd for the rows: lines for a whole warp, several blocks, parts and rounds of a loop.
#if defined(TAPETUM_WITH_CUDA)
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ops/loss_cases.h"
#include "tests/ops/norm_cases.h"
#include "tests/ops/reduce_cases.h"
#include "tests/ops/softmax_cases.h"

namespace tapetum::test {
namespace {

const std::vector<Case> large_rows = {
    {.name = "sum all", .shapes = {{3, 100, 301}}, .op = [](const auto& x) { return sum(x[0]); }, .slots = {&kernels::sum_forward}},
    {.name = "argmax all, ties",
     .shapes = {{70000}},
     .op = [](const auto& x) { return argmax(round(x[0])); },
     .slots = {&kernels::argmax_forward},
     .flat = true},
    {.name = "argmin down columns, ties",
     .shapes = {{3000, 5}},
     .op = [](const auto& x) { return argmin(round(x[0]), 0); },
     .slots = {&kernels::argmin_forward},
     .flat = true},
    {.name = "cumsum of long lines", .shapes = {{9, 300}}, .op = [](const auto& x) { return cumsum(x[0], 1); }, .slots = {&kernels::cumsum_forward}},
    {.name = "cumsum of many lines",
     .shapes = {{3, 50, 270}},
     .op = [](const auto& x) { return cumsum(x[0], 1); },
     .slots = {&kernels::cumsum_forward}},
    {.name = "softmax of many long lines", .shapes = {{130, 70}}, .op = [](const auto& x) { return softmax(x[0], 1); }, .slots = softmax_slots},
    {.name = "log_softmax of many classes",
     .shapes = {{3, 40, 270}},
     .op = [](const auto& x) { return log_softmax(x[0], 1); },
     .slots = log_softmax_slots},
    {.name = "cross_entropy of many pixels",
     .shapes = {{2, 3, 90, 91}},
     .op =
         [](const auto& x) {
           return cross_entropy(x[0], labels(x[0], {2, 90, 91}, 3, true), {.label_smoothing = 0.1});
         },
     .slots = cross_entropy_slots,
     .amplification = 8},
    {.name = "dice_loss of many pixels",
     .shapes = {{2, 3, 70, 71}},
     .op =
         [](const auto& x) {
           return dice_loss(x[0], labels(x[0], {2, 70, 71}, 3, true));
         },
     .slots = dice_slots,
     .amplification = 8},
    {.name = "dice_loss of many rows",
     .shapes = {{700, 35}},
     .op = [](const auto& x) { return dice_loss(x[0], labels(x[0], {700}, 35)); },
     .slots = dice_slots,
     .amplification = 8},
    {.name = "layer_norm of many rows",
     .shapes = {{300, 67}, {67}, {67}},
     .op = [](const auto& x) { return layer_norm(x[0], {67}, x[1], x[2]); },
     .slots = layer_norm_slots},
    {.name = "group_norm in parts",
     .shapes = {{2, 4, 64, 65}, {4}, {4}},
     .op = [](const auto& x) { return group_norm(x[0], 2, x[1], x[2]); },
     .slots = channel_norm_slots},
};

Tensor on_cuda(const Tensor& x) { return to(x, DeviceKind::cuda); }
bool equal(const Tensor& on_device, const Tensor& y) { return all(eq(to(on_device, DeviceKind::cpu), y)).item() != 0; }

}  // namespace

TEST_CASE("cuda sums: large rows match the reference", "[emulated]") { check_all(large_rows, check_cuda); }

TEST_CASE("cuda sums: integers of every type exactly, halves in f32", "[emulated]") {
  const Tensor x = round(rand({40, 70}, 0, 3));
  for (DType dtype : {DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8, DType::i8, DType::boolean}) {
    INFO(name_of(dtype));
    const Tensor y = to(x, dtype);
    for (int64_t dim : {0, 1}) {
      REQUIRE(equal(sum(on_cuda(y), {dim}), sum(y, {dim})));
      REQUIRE(equal(amax(on_cuda(y), {dim}), amax(y, {dim})));
      REQUIRE(equal(argmin(on_cuda(y), static_cast<int>(dim)), argmin(y, static_cast<int>(dim))));
    }
  }
  const Tensor n = to(x, DType::i64);
  REQUIRE(equal(cumsum(on_cuda(n), 1), cumsum(n, 1)));
}

TEST_CASE("cuda sums: the first NaN wins", "[emulated]") {
  const Tensor n = arange(3000), x = where(eq(n, 700) + eq(n, 1700), full({3000}, NAN), n);
  REQUIRE(argmax(on_cuda(x)).item() == 700);
  REQUIRE(argmin(on_cuda(x)).item() == 700);
  REQUIRE(std::isnan(amax(on_cuda(x)).item()));
  REQUIRE(std::isnan(amin(on_cuda(x)).item()));
}

TEST_CASE("cuda batch_norm: nothing cancels when the mean is far from zero", "[emulated]") {
  const Tensor x = rand({2, 6, 40, 40}, 999.9, 1000.1), exact = batch_norm_of({to(x, DType::f64)});
  for (const Tensor& layout : {x, channels_last(x)}) {
    const Tensor y = to(to(batch_norm_of({on_cuda(layout)}), DeviceKind::cpu), DType::f64);
    REQUIRE(amax(abs(y - exact)).item() < 4e-6);
  }
}

TEST_CASE("cuda losses: the lowest pixel with a wrong label is reported", "[emulated]") {
  const Tensor x = on_cuda(rand({2, 3, 50, 50}));
  Tensor t = zeros({2, 50, 50}, DType::i64);
  t.mutable_data<int64_t>()[4000] = 3;
  t.mutable_data<int64_t>()[2601] = -1;
  t = on_cuda(t);
  Tensor per_pixel[2] = {empty_like(x), empty_like(x)}, sums = on_cuda(zeros({3, 3}));
  const kernels::LineShape lines{2, 3, 2500, DType::f32};
  const auto* label = static_cast<const int64_t*>(t.raw());
  const auto& api = *kernels::device_api(DeviceKind::cuda);
  auto* found = static_cast<kernels::Fault*>(api.allocate_pinned(2 * sizeof(kernels::Fault)));
  found[0] = found[1] = {};
  kernels::cross_entropy_forward.run({DeviceKind::cuda}, {lines,
                                                          {0, -1, Reduction::none},
                                                          x.raw(),
                                                          label,
                                                          nullptr,
                                                          per_pixel[0].mutable_raw(),
                                                          per_pixel[1].mutable_raw(),
                                                          sums.mutable_raw(),
                                                          &found[0]});

  kernels::dice_sums_forward.run({DeviceKind::cuda}, {lines, true, -100, x.raw(), label, sums.mutable_raw(), &found[1]});
  REQUIRE(api.synchronize());
  REQUIRE(found[0].position == 4000);
  REQUIRE(found[0].value == 3);
  REQUIRE(found[1].position == 2601);
  REQUIRE(found[1].value == -1);
  api.release_pinned(found);
}

TEST_CASE("cuda cross_entropy: more lines than warps", "[emulated]") {
  const Tensor x = rand({8300, 33}, -2, 2), t = labels(x, {8300}, 33, true);
  const Tensor here = cross_entropy(x, t), there = cross_entropy(on_cuda(x), on_cuda(t));
  REQUIRE(there.item() == Approx(here.item()).epsilon(1e-6));
}

TEST_CASE("cuda cross_entropy: where all is ignored the mean is NaN and the gradient zero, a NaN there too", "[emulated]") {
  const Tensor x = on_cuda(tensor({1, NAN, 3, 4}, {2, 2})).set_requires_grad(), t = on_cuda(full({2}, -100, DType::i64));
  const Tensor loss = cross_entropy(x, t);
  REQUIRE(std::isnan(loss.item()));
  REQUIRE(cross_entropy(x, t, {.reduction = Reduction::sum}).item() == 0);
  REQUIRE(equal(grad({loss}, {x})[0], zeros({2, 2})));
}

}  // namespace tapetum::test
#endif
