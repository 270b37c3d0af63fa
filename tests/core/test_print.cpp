#include <catch2/catch.hpp>

#include <limits>

#include "tapetum.h"

namespace tapetum {

TEST_CASE("print: as PyTorch lays tensors out") {
  REQUIRE(to_string(tensor({1, 2.5, 3, 4}, {2, 2}, DType::f64)) == "tensor([[1.0000, 2.5000],\n        [3.0000, 4.0000]], dtype=f64)");
  REQUIRE(to_string(tensor({1, -2, 30})) == "tensor([ 1., -2., 30.])");
  REQUIRE(to_string(tensor({1, -2, 30}, DType::i64)) == "tensor([ 1, -2, 30])");
  REQUIRE(to_string(tensor({1, 0}, DType::boolean)) == "tensor([ true, false])");
  REQUIRE(to_string(scalar_tensor(0.5)) == "tensor(0.5000)");
  REQUIRE(to_string(tensor({1e-6, 1})) == "tensor([1.0000e-06, 1.0000e+00])");
  REQUIRE(to_string(zeros({2, 0})) == "tensor([], size=[2, 0])");
  REQUIRE(to_string(zeros({2, 3}, DType::f32, DeviceKind::meta)) == "tensor(..., size=[2, 3], device='meta')");
  REQUIRE(to_string(Tensor()) == "tensor(undefined)");
}

TEST_CASE("print: long tensors are cut, gradients are named") {
  const std::string text = to_string(arange(2000));
  REQUIRE(text == "tensor([   0,    1,    2, ..., 1997, 1998, 1999])");
  const Tensor x = ones({2}).set_requires_grad();
  REQUIRE(to_string(x) == "tensor([1., 1.], requires_grad=true)");
  REQUIRE(to_string(x * x) == "tensor([1., 1.], grad_fn=<mul>)");
  REQUIRE(to_string(tensor({std::numeric_limits<double>::quiet_NaN(), 1.5})) == "tensor([   nan, 1.5000])");
}

}  // namespace tapetum
