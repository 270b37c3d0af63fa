#include "ladders/problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace tapetum::ladders {
namespace {

constexpr int64_t kGuard = 64;  // floats behind y that nobody may write
// What y and scratch hold before a step runs, of a float's bits: NaNs, and that of y is none that arithmetic makes of others, so that it tells
// what was not written from what was made of something that was not.
constexpr uint32_t kUnwritten = 0xffe5e5e5, kUnset = 0xffffffff;

const Device& device_or_throw(DeviceKind kind) {
  const Device* device = device_of(kind);
  if (!device) throw Error("ladder: this build has no such device");
  return *device;
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
  return bits == kUnwritten;
}

void expect(const Device& device, bool done, const std::string& what) {
  if (!done) throw Error("ladder: " + what + ": " + device.last_error());
}

double time_of(const Device& device, const std::string& what, const std::function<bool()>& work) {
  double milliseconds = 0;
  expect(device, device.time(work, &milliseconds), what);
  return milliseconds;
}

}  // namespace

Problem::Problem(const Ladder& ladder, Sizes sizes)
    : ladder_(ladder),
      device_(device_or_throw(ladder.device)),
      outputs_(ladder.outputs(sizes)),
      scratch_(ladder.scratch ? ladder.scratch(sizes) : 0) {
  for (int64_t n : ladder.inputs(sizes)) x_.push_back(numbers(n, ladder.low, ladder.high, static_cast<uint32_t>(x_.size() + 1)));
  if (ladder.prepare) ladder.prepare(x_);
  for (const std::vector<float>& values : x_) {
    float* x = allocate(static_cast<int64_t>(values.size()));
    arrays_.x.push_back(x);
    copy(x, values.data(), values.size());
  }
  arrays_.y = allocate(outputs_ + kGuard);
  if (scratch_) arrays_.scratch = allocate(scratch_);
  arrays_.sizes = std::move(sizes);
}

Problem::~Problem() {
  for (const float* x : arrays_.x) device_.release(const_cast<float*>(x));
  device_.release(arrays_.y);
  device_.release(arrays_.scratch);
}

float* Problem::allocate(int64_t floats) const {
  void* p = device_.allocate(static_cast<size_t>(floats) * sizeof(float));
  if (!p) throw OutOfMemory("ladder: no device memory");
  return static_cast<float*>(p);
}

void Problem::copy(void* to, const void* from, size_t floats) const { expect(device_, device_.copy(to, from, floats * sizeof(float)), "copy"); }

void Problem::spoil(float* data, int64_t floats, uint32_t bits) const {
  const std::vector<uint32_t> values(static_cast<size_t>(floats), bits);
  copy(data, values.data(), values.size());
}

void Problem::run(const Attempt& attempt) {
  const bool launched = attempt.run(arrays_);
  expect(device_, device_.finish(), attempt.file);
  if (!launched) throw Error("ladder: " + attempt.file + " has not run");
}

Fault Problem::find_fault(const Attempt& attempt) {
  spoil(arrays_.y, outputs_ + kGuard, kUnwritten);
  if (scratch_) spoil(arrays_.scratch, scratch_, kUnset);
  try {
    run(attempt);
  } catch (const Error& e) {
    return {.what = Fault::failed, .error = e.what()};
  }
  std::vector<float> y(static_cast<size_t>(outputs_ + kGuard));
  copy(y.data(), arrays_.y, y.size());
  if (right_.empty()) right_ = ladder_.reference(arrays_.sizes, x_);
  double most = 0;
  for (double v : right_) most = std::max(most, std::abs(v));
  Fault fault{.all = right_.size()};
  for (size_t i = 0; i < right_.size(); ++i) {
    if (std::abs(static_cast<double>(y[i]) - right_[i]) <= ladder_.tolerance * most) continue;
    if (fault.elements++) continue;
    fault.what = is_unwritten(y[i]) ? Fault::unwritten : Fault::wrong;
    fault.at = i;
    fault.got = y[i];
    fault.expected = right_[i];
    if (ladder_.tolerance > 0) continue;
    const auto found = std::find(right_.begin(), right_.end(), fault.got);
    if (found != right_.end() && std::find(found + 1, right_.end(), fault.got) == right_.end()) fault.belongs_at = found - right_.begin();
  }
  for (size_t i = right_.size(); fault.what == Fault::nothing && i < y.size(); ++i) {
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

double Problem::milliseconds(const Attempt& attempt) {
  return time_of(device_, attempt.file, [&] { return attempt.run(arrays_); });
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

double copy_rate(DeviceKind kind, int64_t bytes) {
  const Device& device = device_or_throw(kind);
  const size_t half = static_cast<size_t>(bytes) / 2;
  void *from = device.allocate(half), *to = device.allocate(half);
  if (!from || !to) throw OutOfMemory("ladder: no device memory");
  std::vector<double> all;
  for (int i = 0; i < 21; ++i) all.push_back(time_of(device, "copy", [&] { return device.copy(to, from, half); }));
  device.release(from);
  device.release(to);
  std::nth_element(all.begin(), all.begin() + 10, all.end());
  return static_cast<double>(bytes) / all[10] * 1e-6;
}

}  // namespace tapetum::ladders
