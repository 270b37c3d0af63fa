// Where the profiler (core/profiler.h) listens. While no profile runs, a scope costs one load and a branch.
#pragma once
#include <initializer_list>
#include <string_view>

#include "core/tensor.h"

namespace tapetum::kernels {
struct Work;
}

namespace tapetum::profiler {

enum class Kind { range, op, in_place, backward, kernel };

inline constinit bool recording = false;  // written by Profile alone
inline bool is_recording() { return __atomic_load_n(&recording, __ATOMIC_RELAXED); }

struct Log;

// From its opening to the end of its life, also by an exception, one event of this thread. Scopes of a thread lie inside each other.
class OpenEvent {
 public:
  OpenEvent(const OpenEvent&) = delete;
  explicit operator bool() const { return log_; }

 protected:
  OpenEvent() = default;
  ~OpenEvent() {
    if (log_) [[unlikely]]
      close();
  }
  void open(Kind kind, std::string_view name, std::string_view suffix = {});
  template <class F> void edit(F f);  // f(log, event), while the profile that has seen it open still runs

 private:
  void close();
  Log* log_ = nullptr;
  size_t index_ = 0;
  uint64_t session_ = 0;
};

// A user's own range: profiler::Scope scope("augment");
class Scope : public OpenEvent {
 public:
  explicit Scope(std::string_view name) {
    if (is_recording()) [[unlikely]]
      open(Kind::range, name);
  }
};

using Tensors = Span<const Tensor>;
inline Tensors tensors_of(Tensors t) { return t; }
inline Tensors tensors_of(const Tensor& t) { return {&t, 1}; }
inline Tensors tensors_of(const TensorList& l) { return {l.begin(), static_cast<int64_t>(l.size())}; }

// A call of an op, with its inputs: tensors, or lists of them. Their bytes count where a kernel runs in the scope itself: a view moves none.
class OpScope : public OpenEvent {
 public:
  template <class... In> OpScope(Kind kind, const char* name, const In&... inputs) {
    if (is_recording()) [[unlikely]]
      begin(kind, name, {tensors_of(inputs)...});
  }
  void moves(const Tensor* tensors, size_t n) {  // besides its inputs
    if (*this) [[unlikely]]
      add_bytes({tensors, static_cast<int64_t>(n)});
  }

 private:
  void begin(Kind kind, const char* name, std::initializer_list<Tensors> inputs);
  void add_bytes(Tensors tensors);
};

// A kernel's run. A GPU's is waited for at its end (unless a graph is being captured), so that the time is the kernel's.
class KernelScope : public OpenEvent {
 public:
  KernelScope(const char* slot, Device device, DType dtype) {
    if (is_recording()) [[unlikely]]
      begin(slot, device, dtype);
  }
  void ran(const kernels::Work& work);  // by the candidate that ran last on this thread

 private:
  void begin(const char* slot, Device device, DType dtype);
};

// A sample of memory_allocated(device), after it changed.
void sample_memory(Device device);
inline void memory_changed(Device device) {
  if (is_recording()) [[unlikely]]
    sample_memory(device);
}

}  // namespace tapetum::profiler
