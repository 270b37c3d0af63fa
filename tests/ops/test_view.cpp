#include <catch2/catch.hpp>

#include "tests/ops/view_cases.h"

namespace tapetum::test {

OP_TESTS("view", view_cases)

}  // namespace tapetum::test
