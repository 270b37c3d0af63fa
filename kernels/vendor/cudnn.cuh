// cuDNN's graph API: descriptors, the engines for a graph of one node, and running one.
#pragma once
#include <cudnn.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/cuda/allocator.cuh"

namespace tapetum::kernels {

inline bool ok(cudnnStatus_t status) { return status == CUDNN_STATUS_SUCCESS; }

inline cudnnDataType_t cudnn_type_of(DType dtype) {
  return dtype == DType::f64   ? CUDNN_DATA_DOUBLE
         : dtype == DType::f32 ? CUDNN_DATA_FLOAT
         : dtype == DType::f16 ? CUDNN_DATA_HALF
                               : CUDNN_DATA_BFLOAT16;
}

// This thread's use of the current device's handle, on the thread's current stream. The handle is null when the library fails.
class CudnnSession {
 public:
  CudnnSession() : lock_(mutex()) {
    static cudnnHandle_t handles[kMaxDevices] = {};
    const OutsideCapture allowed;
    cudnnHandle_t& mine = handles[current_device()];
    if (!mine && !ok(cudnnCreate(&mine))) mine = nullptr;
    if (mine && ok(cudnnSetStream(mine, static_cast<cudaStream_t>(current_stream())))) handle_ = mine;
  }
  operator cudnnHandle_t() const { return handle_; }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  std::lock_guard<std::mutex> lock_;
  cudnnHandle_t handle_ = nullptr;
};

// A descriptor: set(...).set(...).finish(). Once a step has failed the later ones do nothing, and so do those of a part that holds it.
class CudnnPart {
 public:
  explicit CudnnPart(cudnnBackendDescriptorType_t type) : status_(cudnnBackendCreateDescriptor(type, &it_)) {}
  ~CudnnPart() {
    if (it_) cudnnBackendDestroyDescriptor(it_);
  }
  CudnnPart(const CudnnPart&) = delete;

  template <class T> CudnnPart& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::initializer_list<T> values) {
    if (ok(status_)) status_ = cudnnBackendSetAttribute(it_, name, type, static_cast<int64_t>(values.size()), values.begin());
    return *this;
  }
  CudnnPart& set(cudnnBackendAttributeName_t name, const CudnnPart& part) {
    if (ok(status_)) status_ = part.status_;
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {part.it_});
  }
  CudnnPart& finish() {
    if (ok(status_)) status_ = cudnnBackendFinalize(it_);
    return *this;
  }
  // How many values it got, at most `room`.
  int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t room, void* values) const {
    int64_t count = 0;
    return ok(status_) && ok(cudnnBackendGetAttribute(it_, name, type, room, &count, values)) ? std::min(count, room) : 0;
  }
  explicit operator bool() const { return ok(status_); }
  cudnnBackendDescriptor_t descriptor() const { return it_; }

 private:
  cudnnBackendDescriptor_t it_ = nullptr;
  cudnnStatus_t status_;
};

// How an engine computes: bits numbered by cudnnBackendNumericalNote_t.
struct CudnnNotes {
  uint32_t bits = 0;
  bool have(cudnnBackendNumericalNote_t note) const { return bits >> note & 1; }
};

// One way to compute a graph, made ready to run.
struct CudnnEngine {
  std::unique_ptr<CudnnPart> plan;
  size_t workspace;
};

// A graph of one operation, and the parts that it is made of.
class CudnnGraph {
 public:
  CudnnPart& add(cudnnBackendDescriptorType_t type) { return *parts_.emplace_back(std::make_unique<CudnnPart>(type)); }

  // `name` is what its data are given to a run by. On the host: one number, read when it runs.
  CudnnPart& add_tensor(int64_t name, DType dtype, std::initializer_list<int64_t> sizes, std::initializer_list<int64_t> strides,
                        bool on_host = false) {
    return add(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
        .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, {name})
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {cudnn_type_of(dtype)})
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, sizes)
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, {int64_t{kAlignment}})
        .set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, {on_host})
        .finish();
  }
  static constexpr int64_t kAlignment = 16;  // bytes, of all data
  static constexpr int64_t kGreatestWorkspace = int64_t{1} << 30;

  // The first `most` of the engines that the heuristic ranks, of those whose notes are accepted. None: the library cannot do it so.
  template <class Accept> std::vector<CudnnEngine> engines(cudnnHandle_t handle, const CudnnPart& node, size_t most, Accept accept) {
    CudnnPart& graph = add(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle}).set(CUDNN_ATTR_OPERATIONGRAPH_OPS, node).finish();
    std::vector<CudnnEngine> found;
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
      for (const CudnnPart* engine : found.size() < most ? ranked(graph, mode) : std::vector<const CudnnPart*>())
        if (found.size() < most && accept(notes_of(*engine)))
          if (CudnnEngine e = ready(handle, *engine); e.plan) found.push_back(std::move(e));
    return found;
  }

 private:
  std::vector<const CudnnPart*> ranked(const CudnnPart& graph, cudnnBackendHeurMode_t mode) {
    constexpr int64_t kMost = 32;
    CudnnPart& heuristic = add(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {mode}).finish();
    if (!heuristic) return {};
    std::vector<const CudnnPart*> found;
    cudnnBackendDescriptor_t places[kMost];
    for (auto& place : places) place = found.emplace_back(&add(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR))->descriptor();
    found.resize(static_cast<size_t>(heuristic.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, kMost, places)));
    return found;
  }

  static CudnnNotes notes_of(const CudnnPart& config) {
    CudnnPart engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t place = engine.descriptor();
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    CudnnNotes all;
    if (config.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &place) == 1) {
      const int64_t count = engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, notes);
      for (int64_t i = 0; i < count; ++i) all.bits |= uint32_t{1} << notes[i];
    }
    return all;
  }

  static CudnnEngine ready(cudnnHandle_t handle, const CudnnPart& config) {
    auto plan = std::make_unique<CudnnPart>(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle}).set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config).finish();
    int64_t bytes = 0;
    if (plan->get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes) != 1 || bytes > kGreatestWorkspace) return {};
    return {std::move(plan), static_cast<size_t>(bytes)};
  }

  std::vector<std::unique_ptr<CudnnPart>> parts_;
};

// On the session's stream, with data in the order of their names.
inline bool execute(const CudnnSession& session, const CudnnEngine& engine, std::initializer_list<int64_t> names, std::initializer_list<void*> data,
                    void* workspace) {
  CudnnPart pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, names)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data)
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace})
      .finish();
  return session && pack && ok(cudnnBackendExecute(session, engine.plan->descriptor(), pack.descriptor()));
}

}  // namespace tapetum::kernels
