#include <catch2/catch.hpp>

#include "tests/ops/conv_cases.h"

namespace tapetum::test {

OP_TESTS("conv", conv_cases)

}  // namespace tapetum::test
