#include "core/profiler.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include "core/capture.h"
#include "kernels/device.h"
#include "kernels/slot.h"
#include "kernels/work.h"
#include "kernels/workspace_observer.h"

namespace tapetum::profiler {

// What one thread has recorded in a session. Its thread writes; at the end of the profile another one may take it all.
struct Log {
  std::mutex mutex;
  uint64_t session = 0;
  std::vector<Event> events;
  std::vector<size_t> open;  // events around what comes next, outermost first
  std::vector<MemorySample> memory;

  void enter(uint64_t current) {
    if (session == current) return;
    session = current;
    events.clear();
    open.clear();
    memory.clear();
  }
};

namespace {

struct Recorder {
  std::mutex mutex;        // of what follows
  std::vector<Log*> logs;  // never freed: a tensor may be released after its thread's own variables
  bool running = false;
  std::atomic<uint64_t> session{0};
};
Recorder& recorder() {
  static auto* one = new Recorder;
  return *one;
}

Log& log_of_this_thread() {
  thread_local Log* log = nullptr;
  if (log) return *log;
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  return *r.logs.emplace_back(log = new Log);
}

int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// A dimension that an expanded tensor repeats is there once.
double bytes_of(const Tensor& t) {
  double elements = 1;
  for (int d = 0; d < t.dim(); ++d) elements *= static_cast<double>(t.size(d) && t.strides()[d] == 0 ? 1 : t.size(d));
  return elements * static_cast<double>(size_of(t.dtype()));
}

bool absorbs_kernels(Kind kind) { return kind == Kind::op || kind == Kind::in_place || kind == Kind::backward; }

}  // namespace

const char* name_of(Kind kind) {
  constexpr const char* names[] = {"range", "op", "in-place", "backward", "kernel"};
  return names[static_cast<int>(kind)];
}

std::string running_kernel() {
  Log& log = log_of_this_thread();
  const std::lock_guard lock(log.mutex);
  if (!is_recording() || log.session != recorder().session || log.open.empty()) return "";
  const Event& innermost = log.events[log.open.back()];
  return innermost.kind == Kind::kernel ? innermost.name : "";
}

void OpenEvent::open(Kind kind, std::string_view name, std::string_view suffix) {
  Log& log = log_of_this_thread();
  const std::lock_guard lock(log.mutex);
  log.enter(recorder().session);
  Event& e = log.events.emplace_back();
  e.kind = kind;
  e.name.reserve(name.size() + suffix.size());
  e.name.append(name).append(suffix);
  e.parent = log.open.empty() ? -1 : static_cast<int64_t>(log.open.back());
  index_ = log.events.size() - 1;
  log.open.push_back(index_);
  session_ = log.session;
  log_ = &log;
  e.start = now();
}

template <class F> void OpenEvent::edit(F f) {
  const std::lock_guard lock(log_->mutex);
  if (log_->session == session_) f(*log_, log_->events[index_]);
}

void OpenEvent::close() {
  const int64_t end = now();
  edit([&](Log& log, Event& e) {
    e.duration = end - e.start;
    log.open.pop_back();
  });
}

void OpScope::begin(Kind kind, const char* name, std::initializer_list<Tensors> inputs) {
  open(kind, name, kind == Kind::backward ? " backward" : kind == Kind::in_place ? "_" : "");
  edit([&](Log&, Event& e) {
    bool first = true;
    for (const Tensors& list : inputs)
      for (const Tensor& t : list) {
        if (!t.defined()) continue;
        if (std::exchange(first, false)) e.dtype = t.dtype(), e.device = t.device();
        e.shapes.push_back(t.shape());
        e.bytes += bytes_of(t);
      }
  });
}

void OpScope::add_bytes(Tensors tensors) {
  edit([&](Log&, Event& e) {
    for (const Tensor& t : tensors)
      if (t.defined()) e.bytes += bytes_of(t);
  });
}

void KernelScope::begin(const char* slot, Device device, DType dtype) {
  open(Kind::kernel, slot);
  edit([&](Log&, Event& e) { e.device = device, e.dtype = dtype; });
}

void KernelScope::ran(const kernels::Work& work) {
  bool waits = false;
  edit([&](Log&, Event& e) { waits = e.device.kind == DeviceKind::cuda && !current_capture(); });
  if (waits) kernels::device_api(DeviceKind::cuda)->finish(kernels::current_stream());  // what it runs may ask for running_kernel()
  edit([&](Log& log, Event& e) {
    e.candidate = kernels::last_run().candidate;
    e.flops = work.flops;
    e.bytes = work.bytes;
    if (e.parent < 0) return;
    Event& parent = log.events[static_cast<size_t>(e.parent)];
    if (!absorbs_kernels(parent.kind)) return;
    ++parent.kernels;
    parent.flops += work.flops;
  });
}

void sample_memory(Device device) {
  if (device.kind == DeviceKind::meta || (device.kind == DeviceKind::cuda && device.index != kernels::current_device())) return;  // not this thread's
  const size_t allocated = kernels::device_api(device.kind)->memory().allocated;
  Log& log = log_of_this_thread();
  const std::lock_guard lock(log.mutex);
  log.enter(recorder().session);
  log.memory.push_back({now(), device, allocated});
}

Profile::Profile() : own_(&log_of_this_thread()) {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  if (std::exchange(r.running, true)) throw Error("profile: another one is running");
  kernels::workspace_observer = [](DeviceKind kind) { sample_memory(kind == DeviceKind::cpu ? Device() : Device(kind, kernels::current_device())); };
  session_ = ++r.session;
  started_ = now();
  __atomic_store_n(&recording, true, __ATOMIC_RELEASE);
  sample_memory({});
}

void Profile::stop() {
  if (stopped_ >= 0) return;
  __atomic_store_n(&recording, false, __ATOMIC_RELAXED);
  kernels::workspace_observer = nullptr;
  stopped_ = now();
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  ++r.session;  // a thread that looked at `recording` a moment ago begins a log that nobody reads
  r.running = false;
  std::stable_partition(r.logs.begin(), r.logs.end(), [&](const Log* log) { return log == own_; });
  int thread = 0;
  for (Log* log : r.logs) {
    const std::lock_guard log_lock(log->mutex);
    if (log->session != session_) continue;
    take(*log, thread++);
    log->session = 0;
  }
  std::stable_sort(memory_.begin(), memory_.end(), [](const MemorySample& a, const MemorySample& b) { return a.time < b.time; });
}

void Profile::take(Log& log, int thread) {
  for (size_t i : log.open) log.events[i].duration = std::max<int64_t>(0, stopped_ - log.events[i].start);  // one may have begun since
  const auto first = static_cast<int64_t>(events_.size());
  for (Event& e : log.events) {
    e.thread = thread;
    e.start -= started_;
    if (e.parent >= 0) e.parent += first;
    if (absorbs_kernels(e.kind) && e.kernels == 0) e.bytes = 0;
    events_.push_back(std::move(e));
  }
  for (MemorySample& s : log.memory) memory_.push_back({s.time - started_, s.device, s.allocated});
}

Profile::~Profile() { stop(); }

const std::vector<Event>& Profile::events() { return stop(), events_; }
const std::vector<MemorySample>& Profile::memory() { return stop(), memory_; }
double Profile::seconds() { return stop(), static_cast<double>(stopped_ - started_) * 1e-9; }

size_t Profile::peak_memory(Device device) {
  size_t peak = 0;
  for (const MemorySample& s : memory())
    if (s.device == device) peak = std::max(peak, s.allocated);
  return peak;
}

}  // namespace tapetum::profiler
