#include "tests/profile/slot_counts.h"

#include "core/profiler.h"

namespace tapetum::test {

uint64_t SlotCounts::moved() const {
  uint64_t n = 0;
  for (const auto& k : kernels) n += k.loaded() + k.stored();
  return n;
}

uint64_t SlotCounts::different() const {
  uint64_t n = 0;
  for (const auto& k : kernels) n += k.unique_read + k.unique_written;
  return n;
}

SlotCounts count_slot(const kernels::SlotBase& slot, const std::string& candidate, const std::function<void(const std::function<bool()>&)>& work) {
  SlotCounts counts;
  const std::string spec = candidate.empty() ? "" : slot.name + (":" + candidate);
  const kernels::KernelGuard guard(spec);
  profiler::Profile arithmetic;
  const auto in_slot = [&] {
    if (profiler::running_kernel() != slot.name) return false;
    counts.candidate = kernels::last_run().candidate;
    return true;
  };
  counts.kernels = emulation::profile::kernels_of([&] { work([&] { return !counts.candidate.empty(); }); }, in_slot);
  for (const profiler::Event& e : arithmetic.events()) {
    if (e.kind != profiler::Kind::kernel || e.name != slot.name) continue;
    counts.flops += e.flops;
    counts.bytes += e.bytes;
  }
  return counts;
}

}  // namespace tapetum::test
