#include "tests/ops/parity.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace tapetum::test {
namespace {

void check(const StateDict& file, const std::string& name, const Op& op, DType dtype) {
  std::vector<Tensor> xs;
  while (const Tensor* x = file.find(name + ".x" + std::to_string(xs.size()))) xs.push_back(to(*x, dtype).detach().set_requires_grad());
  INFO(name << " " << name_of(dtype));
  REQUIRE_FALSE(xs.empty());
  const Tensor y = op(xs);
  REQUIRE(difference(y.detach(), file.at(name + ".y")) <= parity_tolerance(dtype));
  const auto gs = grad({y}, xs, {to(file.at(name + ".gy"), dtype)});
  for (size_t i = 0; i < xs.size(); ++i) {
    const Tensor* exact = file.find(name + ".g" + std::to_string(i));
    if (!exact) continue;
    INFO("gradient " << i);
    REQUIRE(difference(gs[i].defined() ? gs[i] : zeros_like(xs[i]), *exact) <= parity_tolerance(dtype));
  }
}

}  // namespace

double difference(const Tensor& a, const Tensor& exact) {
  REQUIRE(a.shape() == exact.shape());
  if (a.numel() == 0) return 0;
  return max(abs(to(a, DType::f64) - exact)).item() / std::fmax(max(abs(exact)).item(), 1e-3);
}

double parity_tolerance(DType dtype) { return dtype == DType::f64 ? 1e-12 : 1e-5; }

void check_parity(const StateDict& fixture, const ParityRows& rows) {
  for (const auto& [name, op] : rows)
    for (DType dtype : {DType::f64, DType::f32}) check(fixture, name, op, dtype);
  for (const auto& [name, tensor] : fixture) {
    if (!name.ends_with(".y")) continue;
    INFO(name);
    REQUIRE(rows.count(name.substr(0, name.size() - 2)) == 1);
  }
}

}  // namespace tapetum::test
