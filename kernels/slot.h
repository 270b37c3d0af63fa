// A slot: the named place where one primitive is called, with the ordered list of its implementations per device.
#pragma once
#include <initializer_list>
#include <string_view>

#include "kernels/device.h"
#include "kernels/isa.h"
#include "kernels/types.h"

namespace tapetum::kernels {

enum class Status { ok, no_candidate, forced_unsupported, unknown_candidate, out_of_memory, device_error };

struct Queue {
  DeviceKind device = DeviceKind::cpu;
  void* stream = nullptr;
};

struct Workspace {
  void* data = nullptr;
  size_t bytes = 0;
  Queue queue;
};

template <class Args> struct Candidate {
  const char* name;
  bool (*supports)(const Args&);
  bool (*prefers)(const Args&) = nullptr;      // null: always
  size_t (*workspace)(const Args&) = nullptr;  // null: none
  double (*error)(const Args&) = nullptr;      // |y - exact| <= error * eps * max|y|; null: 4
  Status (*run)(const Args&, Workspace&);
};

// One implementation: a candidate per instruction set, or the same for all in the first place.
template <class Args> struct Entry {
  const Candidate<Args>* by_isa[kIsaCount] = {};

  // The best version at most `isa` that can do it: a type may be served on the baseline only.
  const Candidate<Args>* find(Isa isa, const Args& args) const {
    for (int i = static_cast<int>(isa); i >= 0; --i)
      if (by_isa[i] && by_isa[i]->supports(args)) return by_isa[i];
    return nullptr;
  }
};

// What ran last on this thread, and since `last_run() = {}` the sum of the error bounds and the number of runs: a test sees the public op,
// not its Args.
struct RunRecord {
  const char* slot = nullptr;
  const char* candidate = nullptr;
  double error = 0;
  int runs = 0;
};

// "slot:candidate" for this thread while the guard lives.
class KernelGuard {
 public:
  explicit KernelGuard(std::string_view spec);
  ~KernelGuard();
  KernelGuard(const KernelGuard&) = delete;

 private:
  friend std::string_view forced_candidate(const char* slot);
  std::string_view slot_, candidate_;
  const KernelGuard* outer_;
};

std::string_view forced_candidate(const char* slot);  // empty: none
RunRecord& last_run();
void log_run(const RunRecord& record);
Status allocate_workspace(Workspace& workspace);
void release_workspace(Workspace& workspace);

class SlotBase {
 public:
  constexpr explicit SlotBase(const char* name) : name(name) {}
  virtual const char* candidate(DeviceKind device, int i) const = 0;  // null past the end; the last of the CPU is "reference"
  const char* const name;
};

template <class Args> class KernelSlot final : public SlotBase {
 public:
  using List = std::initializer_list<Entry<Args>>;
  constexpr KernelSlot(const char* name, List reference, List cpu, List cuda) : SlotBase(name), reference_(*reference.begin()) {
    for (const auto& e : cpu) entries_[0][count_[0]++] = e;
    for (const auto& e : cuda) entries_[1][count_[1]++] = e;
  }

  const char* candidate(DeviceKind device, int i) const override {
    const int d = static_cast<int>(device);
    if (i < count_[d]) return entries_[d][i].by_isa[0]->name;
    return device == DeviceKind::cpu && i == count_[d] ? reference_.by_isa[0]->name : nullptr;
  }

  Status run(const Queue& queue, const Args& args) const {
    const Candidate<Args>* chosen = nullptr;
    if (Status s = choose(queue.device, args, chosen); s != Status::ok) return s;
    Workspace workspace{nullptr, chosen->workspace ? chosen->workspace(args) : 0, queue};
    if (workspace.bytes)
      if (Status s = allocate_workspace(workspace); s != Status::ok) return s;
    log_run({name, chosen->name, chosen->error ? chosen->error(args) : 4});
    const Status s = chosen->run(args, workspace);
    if (workspace.bytes) release_workspace(workspace);
    return s;
  }

  // What `run` would take for its workspace, in bytes; 0 where no candidate can do it.
  size_t workspace(DeviceKind device, const Args& args) const {
    const Candidate<Args>* chosen = nullptr;
    return choose(device, args, chosen) == Status::ok && chosen->workspace ? chosen->workspace(args) : 0;
  }

 private:
  static constexpr int kMaxCandidates = 12;

  Status choose(DeviceKind device, const Args& args, const Candidate<Args>*& chosen) const {
    const int d = static_cast<int>(device);
    const Isa isa = device == DeviceKind::cpu ? active_isa() : Isa::baseline;
    if (auto wish = forced_candidate(name); !wish.empty()) return find_forced(device, isa, wish, args, chosen);
    const Candidate<Args>* fallback = nullptr;
    for (int i = 0; i < count_[d]; ++i) {
      const Candidate<Args>* c = entries_[d][i].find(isa, args);
      if (!c) continue;
      if (!c->prefers || c->prefers(args)) return chosen = c, Status::ok;
      if (!fallback) fallback = c;
    }
    chosen = fallback;
    return chosen ? Status::ok : Status::no_candidate;
  }

  Status find_forced(DeviceKind device, Isa isa, std::string_view wish, const Args& args, const Candidate<Args>*& chosen) const {
    const int d = static_cast<int>(device);
    const Entry<Args>* entry = nullptr;
    for (int i = 0; i < count_[d]; ++i)
      if (wish == entries_[d][i].by_isa[0]->name) entry = &entries_[d][i];
    if (device == DeviceKind::cpu && wish == reference_.by_isa[0]->name) entry = &reference_;
    if (!entry) return Status::unknown_candidate;
    chosen = entry->find(isa, args);
    return chosen ? Status::ok : Status::forced_unsupported;
  }

  Entry<Args> reference_;
  Entry<Args> entries_[2][kMaxCandidates] = {};
  int count_[2] = {};
};

}  // namespace tapetum::kernels
