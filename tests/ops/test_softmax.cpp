#include <catch2/catch.hpp>

#include "tests/ops/softmax_cases.h"

namespace tapetum::test {

OP_TESTS("softmax", softmax_cases)

}  // namespace tapetum::test
