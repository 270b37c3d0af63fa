// What the tests of the emulator share. Those of instructions run on a GPU too, where nvcc compiles them.
#pragma once
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::test {

// A sanitizer reports crashes, races and accesses behind shared memory itself; its __shared__ variables do not start as NaN.
#if defined(TAPETUM_EMULATION_SANITIZED)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Device memory with what a vector holds.
template <class T> class Array {
 public:
  explicit Array(size_t n, T value = T()) : Array(std::vector<T>(n, value)) {}
  explicit Array(const std::vector<T>& values) : size_(values.size()) {
    REQUIRE(cudaMalloc(&data_, size_ * sizeof(T)) == cudaSuccess);
    REQUIRE(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice) == cudaSuccess);
  }
  Array(const Array&) = delete;
  ~Array() { cudaFree(data_); }

  T* data() const { return data_; }
  std::vector<T> get() const {
    std::vector<T> values(size_);
    REQUIRE(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost) == cudaSuccess);
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

#if defined(__CUDACC__)

// What the runtime says about a launch; empty: nothing.
template <auto K, class... A> std::string fault_of(const gpu::Launch& at, A... arguments) {
  cudaError_t error = gpu::launch<K>(at, arguments...);
  if (error == cudaSuccess) error = cudaDeviceSynchronize();
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

// A GPU has an order of its own.
template <class F> void for_schedules(F f) { f(); }
template <class F> void for_completions(F f) { f(); }

#else

// Settings of the emulator until the end of the scope; the program's own (its environment variables) come back.
class Settings {
 public:
  Settings() { config.quiet = true; }
  ~Settings() {
    config = before_;
    emulation::clear_error();
  }
  emulation::Config& config = emulation::config();

 private:
  emulation::Config before_ = config;
};

// What the emulator says about a launch; empty: nothing.
template <auto K, class... A> std::string fault_of(const gpu::Launch& at, A... arguments) {
  const Settings settings;
  emulation::clear_error();
  const bool ok = gpu::launch<K>(at, arguments...) == cudaSuccess && cudaDeviceSynchronize() == cudaSuccess;
  const std::string text = ok ? "" : emulation::last_diagnostic();
  emulation::clear_error();
  return text;
}

template <class F> void for_schedules(F f) {
  Settings settings;
  for (emulation::Schedule s : {emulation::Schedule::forward, emulation::Schedule::reverse, emulation::Schedule::random}) {
    settings.config.schedule = s;
    f();
  }
}

// Asynchronous instructions complete late and at once.
template <class F> void for_completions(F f) {
  Settings settings;
  for (bool lazy : {true, false}) {
    settings.config.lazy_async = lazy;
    for_schedules(f);
  }
}

#endif

}  // namespace tapetum::test
