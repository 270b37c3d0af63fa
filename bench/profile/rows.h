// The case rows of the tests, by the slots that they run.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/ops/case.h"

namespace tapetum::bench {

struct ProfiledSlot {
  const kernels::SlotBase* slot;
  std::vector<const test::Case*> rows;  // the most telling one first: large enough for several blocks, small enough for the emulator
};

std::vector<ProfiledSlot> profiled_slots();  // those with a CUDA kernel and a row, by name

int64_t elements_of(const test::Case& row);  // of its inputs
double most_work(const test::Case& row);     // operations if the row says how many, otherwise elements

// Calls the row's op on the device; if that did not run what is looked for, its gradients too.
void run_row(const test::Case& row, const std::vector<Shape>& shapes, DType dtype, const std::function<bool()>& has_run);

}  // namespace tapetum::bench
