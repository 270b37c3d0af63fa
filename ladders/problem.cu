#include "ladders/problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "kernels/cuda/gpu/gpu.cuh"

namespace tapetum::ladders {
namespace {

constexpr int64_t kGuard = 64;    // floats behind y that nobody may write
constexpr int kUnwritten = 0xff;  // of each byte of y before a step runs: NaN

void expect(cudaError_t error, const char* what) {
  if (error != cudaSuccess) throw Error(std::string("ladder: ") + what + ": " + cudaGetErrorString(error));
}

float* allocate(int64_t floats) {
  void* p = nullptr;
  expect(cudaMalloc(&p, static_cast<size_t>(floats) * sizeof(float)), "no device memory");
  return static_cast<float*>(p);
}

// The same numbers on every machine (Numerical Recipes' linear congruence).
std::vector<float> numbers(int64_t n, double low, double high, uint32_t seed) {
  std::vector<float> values(static_cast<size_t>(n));
  uint32_t state = seed;
  for (float& v : values) {
    state = state * 1664525 + 1013904223;
    v = static_cast<float>(low + (high - low) * (state >> 8) * 0x1p-24);
  }
  return values;
}

bool is_unwritten(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits == 0xffffffff;
}

// In milliseconds, on the device.
template <class F> double median_time(int times, const char* what, F work) {
  cudaEvent_t begin, end;
  expect(cudaEventCreate(&begin), "event");
  expect(cudaEventCreate(&end), "event");
  std::vector<float> all(static_cast<size_t>(times));
  work();  // what is loaded or allocated at the first time
  for (float& ms : all) {
    expect(cudaEventRecord(begin), what);
    work();
    expect(cudaEventRecord(end), what);
    expect(cudaEventSynchronize(end), what);
    expect(cudaEventElapsedTime(&ms, begin, end), what);
  }
  expect(cudaEventDestroy(begin), what);
  expect(cudaEventDestroy(end), what);
  std::nth_element(all.begin(), all.begin() + times / 2, all.end());
  return all[static_cast<size_t>(times / 2)];
}

}  // namespace

Problem::Problem(const Ladder& ladder, Sizes sizes) : ladder_(ladder), outputs_(ladder.outputs(sizes)) {
  for (int64_t n : ladder.inputs(sizes)) x_.push_back(numbers(n, ladder.low, ladder.high, static_cast<uint32_t>(x_.size() + 1)));
  if (ladder.prepare) ladder.prepare(x_);
  for (const std::vector<float>& values : x_) {
    float* x = allocate(static_cast<int64_t>(values.size()));
    arrays_.x.push_back(x);
    expect(cudaMemcpy(x, values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice), "copy of x");
  }
  arrays_.y = allocate(outputs_ + kGuard);
  if (ladder.scratch) arrays_.scratch = allocate(ladder.scratch(sizes));
  arrays_.sizes = std::move(sizes);
}

Problem::~Problem() {
  for (const float* x : arrays_.x) cudaFree(const_cast<float*>(x));
  cudaFree(arrays_.y);
  cudaFree(arrays_.scratch);
}

void Problem::run(const Attempt& attempt) {
  const bool launched = attempt.run(arrays_);
  expect(cudaDeviceSynchronize(), attempt.file.c_str());
  expect(cudaGetLastError(), attempt.file.c_str());
  if (!launched) throw Error("ladder: " + attempt.file + " has not launched its kernels");
}

Fault Problem::find_fault(const Attempt& attempt) {
  std::vector<float> y(static_cast<size_t>(outputs_ + kGuard));
  expect(cudaMemset(arrays_.y, kUnwritten, y.size() * sizeof(float)), "filling y");
  try {
    run(attempt);
  } catch (const Error& e) {
    return {.what = Fault::failed, .error = e.what()};
  }
  expect(cudaMemcpy(y.data(), arrays_.y, y.size() * sizeof(float), cudaMemcpyDeviceToHost), "copy of y");
  const std::vector<double> right = ladder_.reference(arrays_.sizes, x_);
  double most = 0;
  for (double v : right) most = std::max(most, std::abs(v));
  Fault fault{.all = right.size()};
  for (size_t i = 0; i < right.size(); ++i) {
    if (std::abs(static_cast<double>(y[i]) - right[i]) <= ladder_.tolerance * most) continue;
    if (fault.elements++) continue;
    fault.what = is_unwritten(y[i]) ? Fault::unwritten : Fault::wrong;
    fault.at = i;
    fault.got = y[i];
    fault.expected = right[i];
    if (ladder_.tolerance > 0) continue;
    const auto found = std::find(right.begin(), right.end(), fault.got);
    if (found != right.end()) fault.belongs_at = found - right.begin();
  }
  for (size_t i = right.size(); fault.what == Fault::nothing && i < y.size(); ++i) {
    if (is_unwritten(y[i])) continue;
    fault.what = Fault::behind;
    fault.at = i;
  }
  return fault;
}

std::string Problem::check(const Attempt& attempt) {
  const Fault fault = find_fault(attempt);
  const std::string where = attempt.file + " at " + text_of(arrays_.sizes) + ": ";
  switch (fault.what) {
    case Fault::nothing:
      return "";
    case Fault::failed:
      return fault.error;
    case Fault::behind:
      return where + "it writes behind y";
    default:
      return where + "y[" + std::to_string(fault.at) + "] is " + std::to_string(fault.got) + ", not " + std::to_string(fault.expected);
  }
}

double Problem::milliseconds(const Attempt& attempt, int times) {
  return median_time(times, attempt.file.c_str(), [&] { attempt.run(arrays_); });
}

int64_t Problem::bytes() const {
  int64_t n = outputs_;
  for (const auto& x : x_) n += static_cast<int64_t>(x.size());
  return n * static_cast<int64_t>(sizeof(float));
}

std::string text_of(const Sizes& sizes) {
  std::string text;
  for (int n : sizes) text += (text.empty() ? "" : "x") + std::to_string(n);
  return text;
}

double copy_rate(int64_t bytes) {
  const size_t half = static_cast<size_t>(bytes) / 2;
  float *from = allocate(bytes / 8 + 1), *to = allocate(bytes / 8 + 1);
  const double ms = median_time(21, "copy", [&] { cudaMemcpyAsync(to, from, half, cudaMemcpyDeviceToDevice, nullptr); });
  cudaFree(from);
  cudaFree(to);
  return static_cast<double>(bytes) / ms * 1e-6;
}

}  // namespace tapetum::ladders
