// Attention by cuDNN's fused node: f16 and bf16, every pair taking part. (Up to version 9.20 the node has no causal form, and its gradient cannot be
// built; PyTorch's cuDNN backend, which composes them of smaller nodes, is the yardstick of those.)
#include "kernels/attention.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/vendor/cudnn.cuh"
#include "kernels/vendor/plans.cuh"

namespace tapetum::kernels {
namespace {

constexpr int64_t kElements = CudnnGraph::kAlignment / 2;  // that a row is aligned to
constexpr int64_t kGreatestWidth = 128;

struct Strides {
  int64_t batch, head, row;
};
struct Key {
  int64_t batch, heads, queries, keys, width, value_width;
  Strides q, k, v, out;
  DType dtype;
  int64_t device;
};

// Names of the tensors in the graph.
enum Name : int64_t { kQuery = 1, kKeys, kValues, kOut, kStatistics, kScale };

struct Plan {
  Status status = Status::device_error;
  CudnnGraph graph;
  CudnnEngine engine{};
};

template <class Pointer> Strides strides_of(const Heads<Pointer>& h) { return {h.batch, h.head, h.row}; }

template <class Pointer> bool is_aligned(const Heads<Pointer>& h) {
  return reinterpret_cast<uintptr_t>(h.data) % CudnnGraph::kAlignment == 0 && std::min({h.batch, h.head, h.row}) > 0 && h.batch % kElements == 0 &&
         h.head % kElements == 0 && h.row % kElements == 0;
}

// What holds before the library is asked.
bool is_expressible(const AttentionForwardArgs& a) {
  const AttentionProblem& p = a.problem;
  const auto fits = [](int64_t width) { return width > 0 && width % kElements == 0 && width <= kGreatestWidth; };
  return (p.dtype == DType::f16 || p.dtype == DType::bf16) && !p.causal && !p.mask.data && p.dropout.keep == 1 &&
         std::min({p.batch, p.heads, p.queries, p.keys}) > 0 && fits(p.width) && fits(p.value_width) && is_aligned(p.q) && is_aligned(p.k) &&
         is_aligned(p.v) && is_aligned(a.out);
}

CudnnPart& add_heads(CudnnGraph& graph, Name name, const Key& z, int64_t rows, int64_t width, const Strides& s) {
  return graph.add_tensor(name, z.dtype, {z.batch, z.heads, rows, width}, {s.batch, s.head, s.row, 1});
}

CudnnPart& add_node(CudnnGraph& graph, const Key& z) {
  CudnnPart& statistics = graph.add_tensor(kStatistics, DType::f32, {z.batch, z.heads, z.queries, 1}, {z.heads * z.queries, z.queries, 1, 1});
  return graph.add(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, add_heads(graph, kQuery, z, z.queries, z.width, z.q))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, add_heads(graph, kKeys, z, z.keys, z.width, z.k))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, add_heads(graph, kValues, z, z.keys, z.value_width, z.v))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, add_heads(graph, kOut, z, z.queries, z.value_width, z.out))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, statistics)
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, graph.add_tensor(kScale, DType::f32, {1, 1, 1, 1}, {1, 1, 1, 1}, true))
      .finish();
}

std::shared_ptr<const Plan> make(const Key& z) {
  auto plan = std::make_shared<Plan>();
  const CudnnSession session;
  if (!session) return plan;
  const OutsideCapture allowed;
  auto engines = plan->graph.engines(session, add_node(plan->graph, z), 1, [](const CudnnNotes&) { return true; });
  if (engines.empty()) return nullptr;
  plan->engine = std::move(engines[0]);
  plan->status = Status::ok;
  return plan;
}

std::shared_ptr<const Plan> plan_of(const AttentionForwardArgs& a) {
  static auto& cache = *new PlanCache<Key, Plan>;
  if (!is_expressible(a)) return nullptr;
  const AttentionProblem& p = a.problem;
  const Key key{p.batch,         p.heads,         p.queries,         p.keys,  p.width,         p.value_width, strides_of(p.q),
                strides_of(p.k), strides_of(p.v), strides_of(a.out), p.dtype, current_device()};
  return cache.find(key, [&] { return make(key); });
}

bool supports(const AttentionForwardArgs& a) { return is_wanted("attention_forward", "cudnn") && plan_of(a); }
size_t workspace(const AttentionForwardArgs& a) {
  const auto plan = plan_of(a);
  return plan ? plan->engine.workspace : 0;
}

// As of our own on tensor cores: weights are rounded to the type of the values.
double error(const AttentionForwardArgs& a) {
  const AttentionProblem& p = a.problem;
  return 16 + 4 * __builtin_sqrt(static_cast<double>(p.width)) + 2 * __builtin_sqrt(static_cast<double>(p.keys)) +
         (p.dtype == DType::f16 ? 0x1p13 : 0x1p16);
}

Status run(const AttentionForwardArgs& a, Workspace& w) {
  const auto plan = plan_of(a);
  if (!plan || plan->status != Status::ok) return Status::device_error;
  const AttentionProblem& p = a.problem;
  float scale = static_cast<float>(p.scale);
  const auto data = [](const void* pointer) { return const_cast<void*>(pointer); };
  const bool good = execute(CudnnSession(), plan->engine, {kQuery, kKeys, kValues, kOut, kStatistics, kScale},
                            {data(p.q.data), data(p.k.data), data(p.v.data), a.out.data, a.lse, &scale}, w.data);
  return good ? Status::ok : Status::device_error;
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_cudnn){
    .name = "cudnn", .supports = supports, .prefers = by_name_alone, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
