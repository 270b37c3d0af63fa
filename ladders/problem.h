// One problem of a ladder on its device: its arrays, and whether what a step made of them is right.
#pragma once
#include "ladders/device.h"
#include "ladders/ladder.h"

namespace tapetum::ladders {

// What is wrong with what an attempt made of y: the first element that is.
struct Fault {
  enum What { nothing, failed, unwritten, wrong, behind } what = nothing;  // failed: the launch; behind: something was written past the end of y
  std::string error{};
  size_t at = 0;
  double got = 0, expected = 0;
  size_t elements = 0, all = 0;  // so many are wrong, of all
  int64_t belongs_at = -1;       // where in y this very value is expected, if in one place: of problems that only move values
};

class Problem {
 public:
  Problem(const Ladder& ladder, Sizes sizes);  // throws Error where this build has no such device, or the device no memory for it
  ~Problem();
  Problem(const Problem&) = delete;

  // Runs the attempt and waits for it. What is wrong, in words; empty: nothing.
  std::string check(const Attempt& attempt);
  Fault find_fault(const Attempt& attempt);
  void run(const Attempt& attempt);             // and waits; throws Error where it fails
  double milliseconds(const Attempt& attempt);  // on the device; throws Error where it fails

  const Arrays& arrays() const { return arrays_; }
  int64_t bytes() const;  // of x and y: what has to move

 private:
  float* allocate(int64_t floats) const;
  void copy(void* to, const void* from, size_t floats) const;
  void spoil(float* data, int64_t floats, uint32_t bits) const;

  const Ladder& ladder_;
  const Device& device_;
  Arrays arrays_;
  Inputs x_;
  int64_t outputs_, scratch_;
  std::vector<double> right_;  // once somebody has asked
};

// GB/s, read plus written, of the device's own copy that moves as many: as near to the roofline as software comes.
double copy_rate(DeviceKind device, int64_t bytes);

}  // namespace tapetum::ladders
