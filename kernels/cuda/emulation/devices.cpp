// Several devices: a current one for each thread, to which new streams belong. They share the memory of the host, and run one at a time.
#include "kernels/cuda/emulation/config.h"
#include "kernels/cuda/emulation/streams.h"

namespace {
thread_local int current = 0;
}

cudaError_t cudaGetDeviceCount(int* n) {
  *n = static_cast<int>(tapetum::emulation::config().devices);
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= static_cast<int>(tapetum::emulation::config().devices)) return tapetum::emulation::set_error(cudaErrorInvalidDevice);
  current = device;
  return cudaSuccess;
}
