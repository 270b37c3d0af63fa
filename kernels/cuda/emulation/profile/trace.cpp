#include "kernels/cuda/emulation/profile/trace.h"
#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <vector>
#include "kernels/cuda/emulation/collectives.h"
#include "kernels/cuda/emulation/profile/hooks.h"
#include "kernels/cuda/emulation/profile/session.h"

namespace tapetum::emulation::profile {

std::array<Trace, kMaxThreads> traces;
thread_local Trace* running_trace TAPETUM_EMULATION_TLS = nullptr;
thread_local Detector* running_detector TAPETUM_EMULATION_TLS = nullptr;

namespace {

constexpr size_t kFirst = 64, kSmall = 1024;  // entries: of a new trace, and kept by each thread when it is empty
constexpr size_t kMost = 32 * 1024;           // so many, and the other lanes get their turn to catch up

// Large ones that no thread needs: the threads of a block rarely need one at the same time.
std::vector<std::pair<Entry*, Entry*>> spare;

// The running block, of its grid.
bool is_in_the_middle() { return blockIdx.x == gridDim.x / 2 && blockIdx.y == gridDim.y / 2 && blockIdx.z == gridDim.z / 2; }

}  // namespace

void Trace::reset() {
  end_ = begin_;
  depth = 0;
  cut_ = false;
}

void Trace::drop_until(Entry* next) {
  if (next != end_) {
    end_ = std::copy(next, end_, begin_);
    return;
  }
  if (limit_ - begin_ > static_cast<std::ptrdiff_t>(kSmall)) {
    spare.emplace_back(begin_, limit_);
    begin_ = limit_ = nullptr;
  }
  end_ = begin_;
}

// The thread steps back; when all lanes of its warp have done so, or wait, what they have in common is counted. False: nothing was.
bool Trace::make_room_by_counting() {
  const auto before = end_ - begin_;
  cut_ = true;
  block().spin_rounds = 0;
  yield();
  cut_ = false;
  return end_ - begin_ < before / 2 && end_ != limit_;
}

[[gnu::noinline]] void Trace::grow() {
  if (end_ - begin_ >= static_cast<std::ptrdiff_t>(kMost) && make_room_by_counting()) return;
  const auto used = static_cast<size_t>(end_ - begin_);
  if (!begin_ && !spare.empty()) {
    std::tie(begin_, limit_) = spare.back();
    spare.pop_back();
    end_ = begin_;
    return;
  }
  const size_t room = std::max(kFirst, 2 * static_cast<size_t>(limit_ - begin_));
  begin_ = static_cast<Entry*>(std::realloc(begin_, room * sizeof(Entry)));
  if (!begin_) std::abort();
  end_ = begin_ + used;
  limit_ = begin_ + room;
}

void begin_block(const Block& b) {
  Launch* launch = current_launch();
  if (!launch) return;
  launch->dynamic_shared = {reinterpret_cast<uintptr_t>(b.dynamic_shared.data()),
                            reinterpret_cast<uintptr_t>(b.dynamic_shared.data()) + b.dynamic_shared.bytes()};
  launch->requests = is_in_the_middle() ? launch->all_requests : nullptr;
  for (unsigned t = 0; t < b.nthreads; ++t) traces[t].reset();
  if (launch->detector) launch->detector->begin_block(b);
}

void enter_thread(unsigned thread) {
  Launch* launch = current_launch();
  running_detector = launch ? launch->detector.get() : nullptr;
  running_trace = launch && !running_detector ? &traces[thread] : nullptr;
}
void leave_thread() {
  running_trace = nullptr;
  running_detector = nullptr;
}

void access(Kind kind, uintptr_t caller, const void* at, unsigned bytes) {
  if (running_trace) running_trace->push(kind, caller, access_value(reinterpret_cast<uintptr_t>(at), bytes));
  if (running_detector) running_detector->touch(kind, caller, reinterpret_cast<uintptr_t>(at), bytes);
}
void operation(Kind kind, uintptr_t caller, uint64_t bytes, uint64_t flops) {
  if (running_trace) running_trace->push(kind, caller, bytes << 32 | flops);
}

}  // namespace tapetum::emulation::profile
