#include <catch2/catch.hpp>

#include "tests/ops/norm_cases.h"

namespace tapetum::test {

OP_TESTS("norm", norm_cases)

}  // namespace tapetum::test
