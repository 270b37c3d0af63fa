// Candidates of NVIDIA's libraries, where the build has them. They are checked apart: what fails there hides nothing of ours.
#pragma once
#include "tests/ops/case.h"

namespace tapetum::test {

bool has_vendor(const Case& row);
void check_vendor(const Case& row);  // as check_cuda does ours

}  // namespace tapetum::test
