#include <catch2/catch.hpp>

#include "tests/ops/elementwise_cases.h"

namespace tapetum::test {

OP_TESTS("elementwise", elementwise_cases)

}  // namespace tapetum::test
