#include <catch2/catch.hpp>

#include "tapetum.h"

namespace tapetum {

TEST_CASE("optim: Adam's first step moves each weight by the learning rate") {
  Tensor w = full({3}, 1, DType::f64).set_requires_grad();
  optim::Adam adam({w}, {.lr = 0.1});
  sum(w * w).backward();
  adam.step();
  REQUIRE(w.detach().data<double>()[0] == Approx(0.9));
}

}  // namespace tapetum
