// One problem of a ladder on the device: its arrays, and whether what a step made of them is right.
#pragma once
#include "ladders/ladder.h"

namespace tapetum::ladders {

class Problem {
 public:
  Problem(const Ladder& ladder, Sizes sizes);  // throws Error where the device has no memory for it
  ~Problem();
  Problem(const Problem&) = delete;

  // Runs the step and waits for it. What is wrong: the launch, a value of y and its place, or a write past the end of y; empty: nothing.
  std::string check(const Step& step);
  void run(const Step& step);                        // and waits; throws Error where it fails
  double milliseconds(const Step& step, int times);  // the median

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
