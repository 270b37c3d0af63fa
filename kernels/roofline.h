// What this machine's CPUs can do at most, on as many threads as kernels use: the scale that rates are read against. (Williams, Waterman,
// Patterson, "Roofline: an insightful visual performance model for multicore architectures", 2009)
#pragma once

namespace tapetum::kernels {

struct Roofline {
  double flops;  // f32 fused multiply-adds a second, counted as two, on the widest registers that kernels use; f64 has half of it
  double bytes;  // read plus written a second by a copy of 128 MB
};

Roofline roofline();  // measured when first asked for at a number of threads, in less than half a second

}  // namespace tapetum::kernels
