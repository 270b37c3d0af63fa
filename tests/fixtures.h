// Files of tests/fixtures, wherever the test runs.
#pragma once
#include <string>

namespace tapetum::test {

std::string fixture(const std::string& name);  // its path

}  // namespace tapetum::test
