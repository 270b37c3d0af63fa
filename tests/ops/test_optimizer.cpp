#include <catch2/catch.hpp>

#include "tests/ops/optimizer_cases.h"

namespace tapetum::test {

OP_TESTS("optimizer", optimizer_cases)

}  // namespace tapetum::test
