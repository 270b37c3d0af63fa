// What kernels find wrong with their input becomes an IndexError: on the CPU at once; on a device, whose work is done later, where the host
// next waits for it (item(), to(x, "cpu"), printing, synchronize), and then once. Work queued after the faulty call goes on.
#pragma once
#include <optional>
#include <string>

#include "core/device.h"
#include "core/shape.h"
#include "kernels/fault.h"

namespace tapetum {

// Whom an error names, and how it reads a position: elements of `shape` are numbered along `dim` first, then in row-major order along the
// others. Dimensions of `repeated` only repeat what the user gave, and have no coordinate.
struct FaultSource {
  const char* op;
  Shape shape;
  int dim = 0;
  int64_t limit = 0;                              // values below it are good
  std::optional<int64_t> ignored = std::nullopt;  // of a label: what is no class, but good too
  unsigned repeated = 0;                          // bit d: dimension d
  const char* context = "";                       // said first; a FaultContext's
  friend bool operator==(const FaultSource&, const FaultSource&) = default;
};

// Errors of calls made while it lives begin with this text, which must live on.
class FaultContext {
 public:
  explicit FaultContext(const char* text);
  ~FaultContext();
  FaultContext(const FaultContext&) = delete;

 private:
  const char* outer_;
};

// Where a call's kernel reports to.
class FaultReport {
 public:
  FaultReport(Device device, FaultSource source);
  ~FaultReport();
  FaultReport(const FaultReport&) = delete;
  kernels::Fault* place() { return place_; }
  void finish() const;  // after the launch: throws what was found, if that is known by now

 private:
  FaultSource source_;
  kernels::Fault own_;     // the CPU's
  kernels::Fault* place_;  // a device's lies in memory that both reach, and outlives the call
};

// After the host has waited for the device: throws what was found since the last time.
void throw_faults(Device device);

}  // namespace tapetum
