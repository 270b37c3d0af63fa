// What the file of an exercise says: its kernels, what they have to compute, and what that may cost. docs/ladders/exercises.md
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/cuda/gpu/gpu.cuh"
#include "ladders/ladder.h"

namespace tapetum::exercises {

using ladders::Arrays, ladders::Inputs, ladders::Sizes, ladders::cover;
using Shapes = std::vector<Sizes>;

// What is counted of a launch at the sizes `counted`, over all of its kernels.
enum class Count {
  bank_conflicts,   // passes over the banks of shared memory that would not be needed without a conflict
  bytes_loaded,     // from global memory, in sectors of 32
  bytes_stored,     // to global memory, in sectors of 32
  global_requests,  // instructions of warps
  shared_requests,  //
  barriers,         //
  shuffles,         //
  atomics_in_turn,  // lanes of a warp that wait for one address, summed over the requests
  idle_lanes        // of 32 that are not active, on average
};
struct Limit {
  Count count;
  double most;
};

struct Exercise {
  cudaError_t (*launch)(const Arrays&);
  Shapes tested;                             // where the result has to be right
  Sizes counted;                             // where the limits hold
  double low = -1, high = 1;                 // between which the inputs lie
  double tolerance = 0;                      // |y - reference| <= tolerance * max|reference|
  Shapes (*inputs)(const Sizes&);            // of each
  Sizes (*output)(const Sizes&);             // the shape of y
  Sizes (*scratch)(const Sizes&) = nullptr;  // null: none
  std::vector<double> (*reference)(const Sizes&, const Inputs& x);
  std::vector<Limit> limits;
};

// Makes an exercise known to the harness, by its file: const Register registered(__FILE__, exercise);
struct Register {
  Register(const char* file, const Exercise& exercise);
};

}  // namespace tapetum::exercises

using namespace tapetum::exercises;  // NOLINT: of these files alone
