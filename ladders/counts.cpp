#include "ladders/counts.h"

#include "kernels/cuda/emulation/config.h"
#include "ladders/problem.h"

namespace tapetum::ladders {
namespace {

template <class F> uint64_t sum(const std::vector<profile::Kernel>& kernels, F f) {
  uint64_t n = 0;
  for (const profile::Kernel& k : kernels) n += f(k);
  return n;
}

template <class F> profile::Counters total_where(const std::vector<profile::Kernel>& kernels, F f) {
  profile::Counters sum;
  for (const profile::Kernel& k : kernels)
    for (const profile::Line& l : k.lines)
      if (f(l.kind)) sum += l;
  return sum;
}

}  // namespace

uint64_t Counts::launches() const {
  return sum(kernels, [](const profile::Kernel& k) { return k.launches; });
}
uint64_t Counts::loaded() const {
  return sum(kernels, [](const profile::Kernel& k) { return k.loaded(); });
}
uint64_t Counts::stored() const {
  return sum(kernels, [](const profile::Kernel& k) { return k.stored(); });
}
profile::Counters Counts::total(profile::Kind kind) const {
  return total_where(kernels, [kind](profile::Kind k) { return k == kind; });
}
profile::Counters Counts::global() const { return total_where(kernels, profile::is_global); }
profile::Counters Counts::shared() const { return total_where(kernels, profile::is_shared); }
profile::Counters Counts::atomics() const { return total_where(kernels, profile::is_atomic); }

double Counts::active_lanes() const {
  const uint64_t blocks = sum(kernels, [](const profile::Kernel& k) { return k.blocks.requests; });
  return blocks ? static_cast<double>(sum(kernels, [](const profile::Kernel& k) { return k.blocks.lanes; })) / static_cast<double>(blocks) : 0;
}

Counts count(const Ladder& ladder, const Attempt& attempt) {
  Problem problem(ladder, ladder.counted);
  return {profile::kernels_of([&] { problem.run(attempt); })};
}

profile::Faults find_faults(const Ladder& ladder, const Attempt& attempt) {
  struct Guarded {  // memory that is allocated meanwhile
    Guarded() { emulation::config().guard_device_memory = emulation::config().quiet = true; }
    ~Guarded() { emulation::config() = before; }
    const emulation::Config before = emulation::config();
  } guarded;
  for (const Sizes& sizes : ladder.tested) {
    Problem problem(ladder, sizes);
    profile::Faults faults = profile::faults_of([&] { problem.find_fault(attempt); });
    if (!faults.races.empty() || !faults.bad.empty()) return faults;
  }
  return {};
}

}  // namespace tapetum::ladders
