#include "tests/fixtures.h"

namespace tapetum::test {

// The folder's path is compiled in here alone: test files with it would differ from checkout to checkout.
std::string fixture(const std::string& name) { return std::string(TAPETUM_FIXTURES) + "/" + name; }

}  // namespace tapetum::test
