// Attention by cuDNN's fused node: f16 and bf16, every pair taking part. (Up to version 9.20 the node has no causal form, and its gradient cannot be
// built; PyTorch's cuDNN backend, which composes them of smaller nodes, is the yardstick of those.)
#include <algorithm>
#include <vector>

#include "kernels/attention.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/vendor/cudnn.cuh"
#include "kernels/vendor/plans.cuh"

namespace tapetum::kernels {
namespace {

constexpr int64_t kBytes = 16;  // that a row is aligned to
constexpr int64_t kElements = kBytes / 2;
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
  std::vector<std::unique_ptr<CudnnPart>> parts;  // that the plan is made of
  cudnnBackendDescriptor_t plan = nullptr;
  size_t workspace = 0;

  CudnnPart& add(cudnnBackendDescriptorType_t type) { return *parts.emplace_back(std::make_unique<CudnnPart>(type)); }
};

template <class Pointer> Strides strides_of(const Heads<Pointer>& h) { return {h.batch, h.head, h.row}; }

template <class Pointer> bool is_aligned(const Heads<Pointer>& h) {
  return reinterpret_cast<uintptr_t>(h.data) % kBytes == 0 && std::min({h.batch, h.head, h.row}) > 0 && h.batch % kElements == 0 &&
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

CudnnPart& add_tensor(Plan& plan, Name name, DType dtype, std::initializer_list<int64_t> sizes, std::initializer_list<int64_t> strides,
                      bool on_host = false) {
  CudnnPart& t = plan.add(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  t.set<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {name})
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {cudnn_type_of(dtype)});
  t.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, sizes).set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides);
  t.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {kBytes}).set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, {on_host});
  t.finish();
  return t;
}
CudnnPart& add_heads(Plan& plan, Name name, const Key& z, int64_t rows, int64_t width, const Strides& s) {
  return add_tensor(plan, name, z.dtype, {z.batch, z.heads, rows, width}, {s.batch, s.head, s.row, 1});
}

// The graph of the one node; a part that failed makes those that hold it fail.
CudnnPart& add_graph(Plan& plan, const Key& z, cudnnHandle_t handle) {
  CudnnPart& node = plan.add(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
  node.set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, add_heads(plan, kQuery, z, z.queries, z.width, z.q))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, add_heads(plan, kKeys, z, z.keys, z.width, z.k))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, add_heads(plan, kValues, z, z.keys, z.value_width, z.v))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, add_heads(plan, kOut, z, z.queries, z.value_width, z.out))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC,
           add_tensor(plan, kStatistics, DType::f32, {z.batch, z.heads, z.queries, 1}, {z.heads * z.queries, z.queries, 1, 1}))
      .set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, add_tensor(plan, kScale, DType::f32, {1, 1, 1, 1}, {1, 1, 1, 1}, true));
  node.finish();
  CudnnPart& graph = plan.add(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle}).set(CUDNN_ATTR_OPERATIONGRAPH_OPS, node);
  return graph;
}

// The first engine of the heuristic's that can be made ready.
bool choose_engine(Plan& plan, const CudnnPart& graph, cudnnHandle_t handle) {
  CudnnPart& heuristic = plan.add(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {CUDNN_HEUR_MODE_A});
  if (!ok(heuristic.finish())) return false;
  constexpr int64_t kMost = 8;
  cudnnBackendDescriptor_t engines[kMost];
  for (auto& engine : engines) engine = plan.add(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  int64_t found = 0;
  if (!ok(cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, kMost, &found, engines))) return false;
  for (int64_t i = 0; i < std::min(found, kMost); ++i) {
    CudnnPart& ready = plan.add(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    ready.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle})
        .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, {engines[i]});
    int64_t bytes = 0;
    if (!ok(ready.finish()) || !ok(cudnnBackendGetAttribute(ready, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, nullptr, &bytes)))
      continue;
    plan.plan = ready;
    plan.workspace = static_cast<size_t>(bytes);
    return true;
  }
  return false;
}

std::shared_ptr<const Plan> make(const Key& z) {
  auto plan = std::make_shared<Plan>();
  const CudnnSession session;
  if (!session) return plan;
  const OutsideCapture allowed;
  CudnnPart& graph = add_graph(*plan, z, session);
  if (!ok(graph.finish()) || !choose_engine(*plan, graph, session)) return nullptr;
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
  return plan ? plan->workspace : 0;
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
  CudnnPart pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, {kQuery, kKeys, kValues, kOut, kStatistics, kScale})
      .set<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
                  {data(p.q.data), data(p.k.data), data(p.v.data), a.out.data, a.lse, &scale})
      .set<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {w.data});
  if (!ok(pack.finish())) return Status::device_error;
  const CudnnSession session;
  return session && ok(cudnnBackendExecute(session, plan->plan, pack)) ? Status::ok : Status::device_error;
}

}  // namespace

TAPETUM_CANDIDATE(AttentionForwardArgs, attention_forward_cudnn){
    .name = "cudnn", .supports = supports, .prefers = by_name_alone, .workspace = workspace, .error = error, .run = run};

}  // namespace tapetum::kernels
