// Whether this thread computes again what a checkpoint has not kept. What an operation changes in place besides its result, as running statistics
// are, it has changed the first time.
#pragma once

namespace tapetum {

inline thread_local constinit bool recomputing = false;

class Recomputation {
 public:
  Recomputation() : outer_(recomputing) { recomputing = true; }
  ~Recomputation() { recomputing = outer_; }
  Recomputation(const Recomputation&) = delete;

 private:
  bool outer_;
};

}  // namespace tapetum
