// Where a tensor lives.
#pragma once
#include "kernels/types.h"

namespace tapetum {

// to_string(device), "cpu" or "cuda:1": core/error.h
struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;  // which GPU, where there are several
  Device() = default;
  Device(DeviceKind k, int i = 0) : kind(k), index(i) {}
  explicit Device(const char* name);    // "cpu", "cuda", "cuda:1", "meta"; throws DeviceError
  Device(const char* name, int index);  // "cuda", 1
  friend bool operator==(Device a, Device b) { return a.kind == b.kind && a.index == b.index; }
};

}  // namespace tapetum
