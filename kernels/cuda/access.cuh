// Elements of any dtype. The switch over dtypes goes the same way in all threads.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"
#include "kernels/types.h"

namespace tapetum::kernels {
namespace {

template <class T> __device__ T read(const void* p, DType dtype, int64_t at) {
  return with_type(dtype, [&]<class S>() { return cast<T>(static_cast<const S*>(p)[at]); });
}
template <class T> __device__ void write(void* p, DType dtype, int64_t at, T value) {
  with_type(dtype, [&]<class S>() { static_cast<S*>(p)[at] = cast<S>(value); });
}

}  // namespace
}  // namespace tapetum::kernels
