// cuDNN's handles and descriptors.
#pragma once
#include <cudnn.h>

#include <mutex>

#include "kernels/cuda/allocator.cuh"

namespace tapetum::kernels {

inline bool ok(cudnnStatus_t status) { return status == CUDNN_STATUS_SUCCESS; }

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
