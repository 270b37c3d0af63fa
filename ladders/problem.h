// One problem of a ladder on the device: its arrays, and whether what a step made of them is right.
#pragma once
#include "ladders/ladder.h"

namespace tapetum::ladders {

// What is wrong with what an attempt made of y: the first element that is.
struct Fault {
  enum What { nothing, failed, unwritten, wrong, behind } what = nothing;  // failed: the launch; behind: something was written past the end of y
  std::string error{};
  size_t at = 0;
  double got = 0, expected = 0;
  size_t elements = 0, all = 0;  // so many are wrong, of all
  int64_t belongs_at = -1;       // where in y this very value is expected, if somewhere: of problems that only move values
};

class Problem {
 public:
  Problem(const Ladder& ladder, Sizes sizes);  // throws Error where the device has no memory for it
  ~Problem();
  Problem(const Problem&) = delete;

  // Runs the attempt and waits for it. What is wrong, in words; empty: nothing.
  std::string check(const Attempt& attempt);
  Fault find_fault(const Attempt& attempt);
  void run(const Attempt& attempt);                        // and waits; throws Error where it fails
  double milliseconds(const Attempt& attempt, int times);  // the median

  const Arrays& arrays() const { return arrays_; }
  int64_t bytes() const;  // of x and y: what has to move

 private:
  const Ladder& ladder_;
  Arrays arrays_;
  Inputs x_;
  int64_t outputs_;
};

double copy_rate(int64_t bytes);  // GB/s, read plus written, of the driver's copy that moves as many: as near to the roofline as software comes

}  // namespace tapetum::ladders
