#include <catch2/catch.hpp>

#include "tests/ops/matmul_cases.h"

namespace tapetum::test {

OP_TESTS("matmul", matmul_cases)

}  // namespace tapetum::test
