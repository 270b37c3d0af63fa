// One pass over blocks of all tensors: 8 bytes an element in f32, bound by memory. Formula: kernels/optimizer.h.
#include "kernels/cpu/tensor_blocks.h"

namespace tapetum::kernels {
namespace {

// x 0 is 0 where x is finite, else NaN: a sum of such tells both apart, in any order.
Status unscale_all(const UnscaleArgs& a, Workspace& w) {
  int64_t* starts = static_cast<int64_t*>(w.data);
  fill_block_starts(a, starts);
  double* found = reinterpret_cast<double*>(starts + a.shape.tensors + 1);  // of each block
  with_served_type(a.shape.dtype, [&]<class T>() {
    using V = Vec<T>;
    const V factor = constant<T>(1 / *a.scale), zero = constant<T>(0);
    for_each_block(a, starts, [&](const OptimizerTensor& t, int64_t begin, int64_t end, int64_t block) {
      V sum = zero;
      for_each_register(static_cast<T*>(t.value), begin, end, [&](T* at, int64_t n) {
        const V x = V::load(at, n);
        sum = sum + x * zero;
        (x * factor).store(at, n);
      });
      const T total = sum.sum();
      found[block] = total == 0 ? 0 : 1;
    });
  });
  for (int64_t b = 0; b < starts[a.shape.tensors]; ++b)
    if (found[b] != 0) *a.found_inf = 1;
  return Status::ok;
}

size_t workspace(const UnscaleArgs& a) { return block_starts_bytes(a) + static_cast<size_t>(most_blocks(a)) * sizeof(double); }
double error(const UnscaleArgs&) { return 4; }

}  // namespace

TAPETUM_CPU_CANDIDATE(UnscaleArgs, unscale_vec){.name = "vec", .supports = supports, .workspace = workspace, .error = error, .run = unscale_all};

}  // namespace tapetum::kernels
