#include "kernels/cuda/emulation/diagnostics.h"
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include "kernels/cuda/emulation/scheduler.h"

namespace tapetum::emulation {
namespace {

bool is_alive(const Block& b, unsigned t) { return b.warps[t / kLanes].alive >> t % kLanes & 1; }

// Threads that wait for the same.
struct Waiting {
  Op op;
  Loc at;
  uint32_t mask;
  std::vector<unsigned> threads;
};

std::vector<Waiting> who_waits(const Block& b) {
  std::vector<Waiting> all;
  for (unsigned t = 0; t < b.nthreads; ++t) {
    if (!is_alive(b, t)) continue;
    const Thread& th = b.threads[t];
    const auto alike = [&](const Waiting& w) { return w.op == th.wait && w.at.line == th.at.line && w.at.file == th.at.file && w.mask == th.mask; };
    auto it = std::find_if(all.begin(), all.end(), alike);
    if (it == all.end()) it = all.insert(all.end(), {th.wait, th.at, th.mask, {}});
    it->threads.push_back(t);
  }
  return all;
}

// "0-31, 40", ending in "..." after eight runs.
std::string list(const std::vector<unsigned>& threads) {
  std::string text;
  for (size_t i = 0, runs = 0; i < threads.size();) {
    size_t j = i;
    while (j + 1 < threads.size() && threads[j + 1] == threads[j] + 1) ++j;
    if (++runs > 8) return text + ", ...";
    if (runs > 1) text += ", ";
    text += j > i ? fmt::format("{}-{}", threads[i], threads[j]) : std::to_string(threads[i]);
    i = j + 1;
  }
  return text;
}

std::string participants(const Waiting& w) {
  switch (w.op) {
    case Op::named_barrier:
      return fmt::format(" {}", w.mask);
    case Op::none:
    case Op::syncthreads:
    case Op::mbarrier:
    case Op::spin:
      return "";
    default:
      return fmt::format(" mask {:#010x}", w.mask);
  }
}

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
struct sigaction actions_before[std::size(kCrashes)];

void restore_actions() {
  for (size_t i = 0; i < std::size(kCrashes); ++i) sigaction(kCrashes[i], &actions_before[i], nullptr);
}

// A signal handler: nothing here may allocate.
void on_crash(int signal_number, siginfo_t* info, void*) {
  if (const Block* b = current_block; b && !b->name.empty()) {
    const Fiber* f = b->threads[b->current].fiber;
    const bool overflow = signal_number == SIGSEGV && f && overflowed(*f, info->si_addr);
    char text[512];
    const int n = std::snprintf(text, sizeof text, "tapetum emulation: %s%s in kernel %.*s, block (%u,%u,%u) thread (%u,%u,%u), address %p\n",
                                strsignal(signal_number), overflow ? " (stack overflow: raise Config::stack_bytes)" : "",
                                static_cast<int>(std::min<size_t>(b->name.size(), 200)), b->name.data(), blockIdx.x, blockIdx.y, blockIdx.z,
                                threadIdx.x, threadIdx.y, threadIdx.z, info->si_addr);
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, static_cast<size_t>(n));
  }
  restore_actions();
  raise(signal_number);
}

// For cuda-threads of gdb.py.
std::string state_of(const Block& b, unsigned t) {
  const Thread& thread = b.threads[t];
  if (!is_alive(b, t)) return "  returned";
  if (!thread.fiber) return "  not started";
  if (t == b.current) return "* running";
  const bool ready = b.warps[t / kLanes].ready >> t % kLanes & 1;
  return fmt::format("  {}{} {}", ready ? "ready, resumes at " : "", op_name(thread.wait), thread.at);
}

}  // namespace

const char* op_name(Op op) {
  switch (op) {
    case Op::none:
      return "(running)";
    case Op::syncthreads:
      return "__syncthreads";
    case Op::named_barrier:
      return "named barrier";
    case Op::syncwarp:
      return "__syncwarp";
    case Op::shfl:
      return "warp shuffle";
    case Op::vote:
      return "warp vote";
    case Op::match:
      return "warp match";
    case Op::reduce:
      return "warp reduce";
    case Op::ldmatrix:
      return "ldmatrix";
    case Op::mma:
      return "mma";
    case Op::wgmma:
      return "wgmma";
    case Op::mbarrier:
      return "mbarrier wait";
    case Op::spin:
      return "spin loop";
  }
  return "";
}

std::string place_of(const Block& b, unsigned t) {
  const uint3 i = b.thread_idx[t];
  return fmt::format("kernel {}, block ({},{},{}) thread ({},{},{})", b.name, blockIdx.x, blockIdx.y, blockIdx.z, i.x, i.y, i.z);
}

void leave_thread(Block& b) {
  tsan_release(&b.tsan_done);
  tsan_switch(b.tsan_native);
  tsan_acquire(&b.tsan_done);
}

void fail_with(Block& b, std::string message) {
  if (config().abort_on_error) {
    std::fprintf(stderr, "tapetum emulation: %s: %s\n", place_of(b, b.current).c_str(), message.c_str());
    std::abort();
  }
  std::string().swap(b.message);  // what a move would leave in `message` is never destroyed
  b.message = std::move(message);
  abandon(b);
}

void report_stuck(Block& b, bool spinning) {
  leave_thread(b);
  std::string text = spinning ? "livelock: every running thread spins" : "deadlock: no thread can run";
  for (const Waiting& w : who_waits(b))
    text += fmt::format("\n  {} thread(s) wait at {}{} {}: thread(s) {}", w.threads.size(), op_name(w.op), participants(w), w.at, list(w.threads));
  if (b.alive < b.nthreads) text += fmt::format("\n  {} thread(s) have returned", b.nthreads - b.alive);
  fail_with(b, std::move(text));
}

void trap(const char* what, Loc at) { fail(block(), "{} {}", what, at); }

CrashReports::CrashReports() {
  if constexpr (kAsan || kTsan) return;  // they report themselves
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t i = 0; i < std::size(kCrashes); ++i) sigaction(kCrashes[i], &action, &actions_before[i]);
}
CrashReports::~CrashReports() {
  if constexpr (!kAsan && !kTsan) restore_actions();
}

void provide_signal_stack() {
  if constexpr (kAsan || kTsan) return;
  stack_t stack{};
  stack.ss_size = 64 * 1024;
  stack.ss_sp = mmap(nullptr, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaltstack(&stack, nullptr);
}

}  // namespace tapetum::emulation

extern "C" __attribute__((used)) void tapetum_emulation_dump() {
  using namespace tapetum::emulation;
  if (!current_block) return;
  const Block& b = block();
  std::fprintf(stderr, "%s, %u of %u threads alive\n", place_of(b, b.current).c_str(), b.alive, b.nthreads);
  for (unsigned first = 0, next = 0; first < b.nthreads; first = next) {  // those in the same state together
    const std::string state = state_of(b, first);
    while (next < b.nthreads && state_of(b, next) == state) ++next;
    const uint3 i = b.thread_idx[first], j = b.thread_idx[next - 1];
    const std::string which = next - first == 1
                                  ? fmt::format("thread {} ({},{},{})", first, i.x, i.y, i.z)
                                  : fmt::format("threads {} to {} ({},{},{}) to ({},{},{})", first, next - 1, i.x, i.y, i.z, j.x, j.y, j.z);
    std::fprintf(stderr, "  %-44s %s\n", which.c_str(), state.c_str());
  }
}
