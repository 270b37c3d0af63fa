#include "kernels/slot.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/workspace_observer.h"

namespace tapetum::kernels {
namespace {

thread_local const KernelGuard* innermost = nullptr;
thread_local RunRecord record;

const bool log_kernels = [] {
  const char* log = std::getenv("TAPETUM_LOG");
  return log && std::strstr(log, "kernel");
}();

// TAPETUM_KERNEL=a:x,b:y as guards that live for the whole program, shared by all threads.
const KernelGuard* environment_guards() {
  static const KernelGuard* const outermost = [] {
    const KernelGuard* last = nullptr;
    std::string_view rest = std::getenv("TAPETUM_KERNEL") ? std::getenv("TAPETUM_KERNEL") : "";
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(','), rest.size());
      last = new KernelGuard(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    innermost = nullptr;
    return last;
  }();
  return outermost;
}

const KernelGuard* const from_environment = environment_guards();

void observe(const Workspace& w) {
  if (auto* observer = workspace_observer.load(std::memory_order_relaxed)) observer(w.queue.device);
}

}  // namespace

KernelGuard::KernelGuard(std::string_view spec) : outer_(innermost) {
  const size_t colon = spec.find(':');
  slot_ = spec.substr(0, colon);
  candidate_ = colon == spec.npos ? "" : spec.substr(colon + 1);
  innermost = this;
}

KernelGuard::~KernelGuard() { innermost = outer_; }

std::string_view forced_candidate(const char* slot) {
  for (const KernelGuard* chain : {innermost, from_environment})
    for (const KernelGuard* g = chain; g; g = g->outer_)
      if (g->slot_ == slot) return g->candidate_;
  return {};
}

RunRecord& last_run() { return record; }

void log_run(const RunRecord& r) {
  record = {r.slot, r.candidate, r.error + record.error, record.runs + 1};
  if (log_kernels) std::fprintf(stderr, "kernel %s:%s\n", r.slot, r.candidate);
}

Status allocate_workspace(Workspace& w) {
  w.data = device_api(w.queue.device)->allocate(w.bytes);
  observe(w);
  return w.data ? Status::ok : Status::out_of_memory;
}

void release_workspace(Workspace& w) {
  device_api(w.queue.device)->release(w.data);
  observe(w);
}

}  // namespace tapetum::kernels
