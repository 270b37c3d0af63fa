#include <catch2/catch.hpp>

#include "tests/ops/reduce_cases.h"

namespace tapetum::test {

OP_TESTS("reduce", reduce_cases)

}  // namespace tapetum::test
