// The library's candidate `registers`, for any mask and dropout and widths up to 128: step 5. f16 and bf16 have step 7's form (`flash`).
#include "kernels/attention.h"
#include "ladders/attention/attention.h"

namespace tapetum::ladders {
namespace {

cudaError_t launch(float* o, float* scratch, const float* q, const float* k, const float* v, int heads, int n) {
  const auto dense = [n]<class T>(T* x) { return kernels::Heads<T*>{x, 0, int64_t{n} * kWidth, kWidth}; };
  kernels::AttentionForwardArgs args{};
  kernels::AttentionProblem& p = args.problem;
  p.batch = 1, p.heads = heads, p.queries = p.keys = n, p.width = p.value_width = kWidth;
  p.dtype = DType::f32;
  p.scale = kScale;
  p.q = dense(static_cast<const void*>(q)), p.k = dense(static_cast<const void*>(k)), p.v = dense(static_cast<const void*>(v));
  args.out = dense(static_cast<void*>(o));
  args.lse = scratch;
  const kernels::KernelGuard guard("attention_forward:registers");
  return kernels::attention_forward.run({DeviceKind::cuda, nullptr}, args) == kernels::Status::ok ? cudaSuccess : cudaErrorLaunchFailure;
}

const Attention step(__FILE__, launch);

}  // namespace
}  // namespace tapetum::ladders
