#include <catch2/catch.hpp>

#include "tests/ops/activation_cases.h"

namespace tapetum::test {

OP_TESTS("activation", activation_cases)

}  // namespace tapetum::test
