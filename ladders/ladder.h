// Ladders: one problem each, solved by kernels of which every next one adds a single idea. A step is a file, ladders/transpose/3_tile.cu or, for
// the CPU, ladders/cpu_gemm/2_rows.cpp; its first line says the idea. docs/ladders tells the stories, `./run ladder` shows the steps with what the
// emulator counts of them.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/types.h"

namespace tapetum::ladders {

using Sizes = std::vector<int>;
using Inputs = std::vector<std::vector<float>>;

// What a step works on, in memory of the ladder's device. Arrays begin at a multiple of 64 bytes.
struct Arrays {
  float* y = nullptr;
  float* scratch = nullptr;  // as many floats as the ladder says
  std::vector<const float*> x;
  Sizes sizes;
};

// What may solve a problem.
struct Attempt {
  std::string file;                        // "ladders/transpose/3_tile.cu"
  std::function<bool(const Arrays&)> run;  // does the work, of CUDA on the default stream: false where that fails
};

struct Step : Attempt {
  // Of the file `path` (__FILE__), and listed from then on.
  Step(const char* path, std::function<bool(const Arrays&)> run);
  Step(const Step&) = delete;

  std::string ladder, name;
  int number = 0;
};

struct Ladder {
  const char *name, *task;  // "transpose", "y[j][i] = x[i][j]"
  DeviceKind device = DeviceKind::cuda;
  Sizes counted, timed;                                      // what the tables are about, on the emulator and on the device itself
  std::vector<Sizes> tested;                                 // where every step is compared with the reference
  double low, high;                                          // between which x lies
  double tolerance;                                          // |y - reference| <= tolerance * max|reference|
  std::function<std::vector<int64_t>(const Sizes&)> inputs;  // elements of each
  std::function<int64_t(const Sizes&)> outputs;              // of y
  std::vector<int64_t> (*columns)(const Sizes&) = nullptr;   // of each input and of y, where a drawing shows them as rows
  std::function<int64_t(const Sizes&)> scratch;              // null: none
  std::vector<double> (*reference)(const Sizes&, const Inputs& x);
  double (*flops)(const Sizes&) = nullptr;  // a multiply-add is two; null: too few to matter beside the bytes
  const char* vendor = nullptr;             // "matmul_forward:cublas": of the last step's slot; null: there is no such kernel
  void (*prepare)(Inputs& x) = nullptr;     // makes of random numbers what the steps and the reference take; null: nothing
};

const std::vector<const Ladder*>& all_ladders();          // those that this build has no steps of, too
const Ladder* find_ladder(const std::string& name);       // null: there is none
std::vector<const Step*> steps_of(const Ladder& ladder);  // by number

// A step's file, as the reader sees it.
std::vector<std::string> source_of(const Step& step);
std::string idea_of(const Step& step);    // its first line
int lines_of_code(const Step& step);      // neither blank nor comment nor #include
std::string text_of(const Sizes& sizes);  // "512x512"

// Blocks or tiles of `each` that cover n.
inline unsigned cover(int n, int each) { return static_cast<unsigned>((n + each - 1) / each); }

}  // namespace tapetum::ladders
