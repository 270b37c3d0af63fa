// cuDNN's handles and descriptors.
#pragma once
#include <cudnn.h>

#include <initializer_list>
#include <mutex>

#include "kernels/cuda/allocator.cuh"

namespace tapetum::kernels {

inline bool ok(cudnnStatus_t status) { return status == CUDNN_STATUS_SUCCESS; }

inline cudnnDataType_t cudnn_type_of(DType dtype) {
  return dtype == DType::f64   ? CUDNN_DATA_DOUBLE
         : dtype == DType::f32 ? CUDNN_DATA_FLOAT
         : dtype == DType::f16 ? CUDNN_DATA_HALF
                               : CUDNN_DATA_BFLOAT16;
}

// One that could not be made is null, which every function of the library refuses.
template <class T, cudnnStatus_t (*create)(T*), cudnnStatus_t (*destroy)(T)> class CudnnDescriptor {
 public:
  CudnnDescriptor() {
    if (!ok(create(&it_))) it_ = nullptr;
  }
  ~CudnnDescriptor() {
    if (it_) destroy(it_);
  }
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  operator T() const { return it_; }

 private:
  T it_ = nullptr;
};
using CudnnTensor = CudnnDescriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using CudnnFilter = CudnnDescriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using CudnnConvolution = CudnnDescriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;

// A descriptor of the graph API: set(...).set(...).finish().
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
  CudnnPart& set(cudnnBackendAttributeName_t name, const CudnnPart& part) { return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {part.it_}); }
  // What happened first: a later step of one that failed is left out.
  cudnnStatus_t finish() {
    if (ok(status_)) status_ = cudnnBackendFinalize(it_);
    return status_;
  }
  operator cudnnBackendDescriptor_t() const { return it_; }

 private:
  cudnnBackendDescriptor_t it_ = nullptr;
  cudnnStatus_t status_;
};

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

}  // namespace tapetum::kernels
