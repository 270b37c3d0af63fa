#include <catch2/catch.hpp>

#include "tests/ops/compare_cases.h"

namespace tapetum::test {

OP_TESTS("compare", compare_cases)

}  // namespace tapetum::test
