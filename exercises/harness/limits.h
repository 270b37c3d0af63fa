// What an exercise may cost, and which line costs too much.
#pragma once
#include "exercises/harness/check.h"
#include "ladders/counts.h"

namespace tapetum::exercises {

const char* name_of(Count count);  // "bank conflicts"
std::string text_of(double count);
double value_of(Count count, const ladders::Counts& counts);

// Why `counts` exceed the limit; nothing is wrong if they do not.
Verdict compare(const Limit& limit, const ladders::Counts& counts, const Exercise& exercise);

}  // namespace tapetum::exercises
