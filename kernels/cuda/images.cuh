// Elements of images [n, c, h, w] of any strides.
#pragma once
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::kernels {
namespace {

struct Place {
  int64_t n, c, h, w;
};

// The i-th element: neighbouring threads get elements that are neighbours in memory.
inline __device__ Place place_of(int64_t i, int64_t c, int64_t h, int64_t w, bool channels_last) {
  if (channels_last) return {i / (h * w * c), i % c, i / (w * c) % h, i / c % w};
  return {i / (c * h * w), i / (h * w) % c, i / w % h, i % w};
}
inline __device__ int64_t offset_of(const int64_t (&stride)[4], const Place& p) {
  return p.n * stride[0] + p.c * stride[1] + p.h * stride[2] + p.w * stride[3];
}

}  // namespace
}  // namespace tapetum::kernels
