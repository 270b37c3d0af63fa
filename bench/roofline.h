// What this machine can do at most, measured when first asked for: the scale that a kernel's rates are read against.
#pragma once

struct Roofline {
  double flops;  // f32 fused multiply-adds a second on all threads, counted as two
  double bytes;  // read plus written a second by a copy that fits no cache
};

const Roofline& roofline();
