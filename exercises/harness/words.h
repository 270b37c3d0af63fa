// What is found, in words that help whoever wrote it.
#pragma once
#include "exercises/harness/check.h"
#include "ladders/counts.h"
#include "ladders/problem.h"

namespace tapetum::exercises {

Verdict verdict_of(const ladders::profile::Race& race);
Verdict verdict_of(const ladders::profile::BadAccess& bad);
Verdict verdict_of(const ladders::Fault& fault, const Sizes& shape);  // of y
Verdict verdict_of_launch(const std::string& error);                  // that failed; the emulator may have said why

}  // namespace tapetum::exercises
