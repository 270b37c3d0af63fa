// A case row: one public op with its options bound. It drives the comparison of candidates, gradient checks and the benchmark.
//
//   {.name = "conv2d stride", .shapes = {{1, 2, 7, 5}, {3, 2, 3, 2}},
//    .op = [](const auto& x) { return conv2d(x[0], x[1], {.stride = 2}); },
//    .slots = {&kernels::conv2d_forward, &kernels::conv2d_grad_input, &kernels::conv2d_grad_weight}},
#pragma once
#include <functional>
#include <vector>

#include "kernels/slot.h"
#include "tapetum.h"

namespace tapetum::test {

using Op = std::function<Tensor(const std::vector<Tensor>&)>;

struct Case {
  const char* name;
  std::vector<Shape> shapes;                    // of the floating-point inputs; integer inputs are made inside op
  Op op;                                        // a floating-point result is compared within the kernels' bounds, any other exactly
  std::vector<const kernels::SlotBase*> slots;  // that the op and its gradient run
  double low = -2, high = 2;                    // of the inputs' values
  bool flat = false;                            // gradients are zero almost everywhere, or there is none: not checked
  bool bench = false;                           // large enough to be timed
  bool constant_lines = true;                   // false: ill-conditioned or ambiguous where a dimension repeats one value (variance, ties)
  double amplification = 1;                     // of the kernels' errors by what the op does with them
  double flops = 0, bytes = 0;                  // of one call, for the benchmark's rates
};

std::vector<Tensor> make_inputs(const Case& row, DType dtype, uint64_t seed = 1);

void check_candidates(const Case& row);   // values and gradients: every candidate, instruction set, layout and dtype against the reference in f64
void check_cuda(const Case& row);         // the same for every CUDA kernel, in each layout and dtype, 16-bit ones too
void check_gradients(const Case& row);    // first and second order, finite differences
void check_determinism(const Case& row);  // the same bits at one, two and four threads
void check_twin(const Case& row);         // gradients of the kernels against those of the composite definition
void print_trace(const Case& row);        // each op of the row with its options, for tests/check_ops.py
void print_dtypes(const Case& row);       // what the row does with inputs of each dtype, for tests/check_dtypes.py

// As check_candidates for one dtype and one layout, which the index chooses: for rows by the hundred. What fails is named with all its options.
void check_sample(const Case& row, int index);

template <class Rows> void check_all(const Rows& rows, void (*check)(const Case&)) {
  for (const Case& row : rows) check(row);
}

}  // namespace tapetum::test

// Trees with CUDA, emulated or not, check its kernels too.
#if defined(TAPETUM_WITH_CUDA)
#define CUDA_TESTS(family, rows) \
  TEST_CASE(family ": cuda kernels match the reference", "[emulated]") { check_all(rows, check_cuda); }
#else
#define CUDA_TESTS(family, rows)
#endif

// Every row of a family through every check. (In a file that includes the test framework.)
#define OP_TESTS(family, rows)                                                                             \
  TEST_CASE(family ": every candidate matches the reference") { check_all(rows, check_candidates); }       \
  CUDA_TESTS(family, rows)                                                                                 \
  TEST_CASE(family ": gradients match finite differences", "[grad]") { check_all(rows, check_gradients); } \
  TEST_CASE(family ": the kernels' gradients match the twin's", "[grad]") { check_all(rows, check_twin); } \
  TEST_CASE(family ": the same bits at any thread count") { check_all(rows, check_determinism); }          \
  TEST_CASE(family ": options of the rows", "[.trace]") { check_all(rows, print_trace); }                  \
  TEST_CASE(family ": dtypes of the rows", "[.dtypes]") { check_all(rows, print_dtypes); }
