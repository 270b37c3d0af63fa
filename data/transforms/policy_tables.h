// The pairs of operations that AutoAugment found (Cubuk et al., 2019, tables 7 and 9; SVHN: table 8). Included by policies.cpp alone.
#pragma once
#include "data/transforms/policies.h"

namespace tapetum::data {

struct PolicyStep {
  Operation operation;
  double probability;
  int strength;  // 0 to 9 of ten
};
struct PolicyPair {
  PolicyStep first, second;
};
const PolicyPair* policy_pairs(Policy policy);  // 25

}  // namespace tapetum::data
