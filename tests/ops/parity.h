// Ops against PyTorch's values and gradients in f64. A fixture has, for each case, inputs NAME.x0, NAME.x1 ..., the result NAME.y, its
// cotangent NAME.gy, and the gradients NAME.g0, NAME.g1 ... of those inputs that PyTorch gives one.
#pragma once
#include <map>
#include <string>

#include "tests/ops/case.h"

namespace tapetum::test {

using ParityRows = std::map<std::string, Op>;

// Every row in f64 and f32, and that every case of the fixture has a row.
void check_parity(const StateDict& fixture, const ParityRows& rows);

// max |a - exact| / max(|exact|, 1e-3), with the shape required to agree.
double difference(const Tensor& a, const Tensor& exact);
double parity_tolerance(DType dtype);

}  // namespace tapetum::test
