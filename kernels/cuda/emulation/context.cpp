// The context switch. It ends in `ret`: all fibers stop at the same depth of calls, so the processor predicts the return, and a
// switch takes 8 ns (160 ns with ucontext).
#include "kernels/cuda/emulation/context.h"
#include <pthread.h>
#include <sys/mman.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include "kernels/cuda/emulation/config.h"

// Saves the registers that a callee must keep, changes stacks, and restores those of the other side.
#if defined(__x86_64__)
asm(R"(
.text
.globl tapetum_emulation_switch
.hidden tapetum_emulation_switch
.type tapetum_emulation_switch,@function
tapetum_emulation_switch:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp,0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx,0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12,0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13,0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14,0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15,0
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  ret
  .cfi_endproc
.size tapetum_emulation_switch,.-tapetum_emulation_switch
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl tapetum_emulation_switch
.hidden tapetum_emulation_switch
.type tapetum_emulation_switch,%function
tapetum_emulation_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size tapetum_emulation_switch,.-tapetum_emulation_switch
)");
#else
#error "the emulator has no context switch for this architecture"
#endif

extern "C" [[noreturn]] void tapetum_emulation_run_threads();

namespace tapetum::emulation {
namespace {

constexpr size_t kPage = 4096, kKiB = 1024;

// What the switch finds on a stack that has not run: zeros for the registers, run_threads as the place to return to.
#if defined(__x86_64__)
void* first_sp(uintptr_t top) {
  auto* p = reinterpret_cast<void**>(top);
  *--p = nullptr;  // where run_threads would return to: ends backtraces, and aligns the stack as a call does
  *--p = reinterpret_cast<void*>(&tapetum_emulation_run_threads);
  for (int i = 0; i < 6; ++i) *--p = nullptr;
  return p;
}
#else
void* first_sp(uintptr_t top) {
  auto* p = reinterpret_cast<void**>(top - 160);
  for (int i = 0; i < 20; ++i) p[i] = nullptr;
  p[11] = reinterpret_cast<void*>(&tapetum_emulation_run_threads);  // x30
  return p;
}
#endif

size_t stack_bytes() {
  const size_t wanted = config().stack_bytes ? config().stack_bytes : (kAsan || kTsan ? 256 : 64) * kKiB;
  return (wanted + kPage - 1) / kPage * kPage;
}

}  // namespace

void UnmapFiber::operator()(Fiber* f) const {
  munmap(f->stack - kPage, f->bytes + kPage);
  delete f;
}

OwnedFiber make_fiber(size_t index) {
  const size_t bytes = stack_bytes();
  void* m = mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED) {
    std::perror("tapetum emulation: no memory for the stack of a CUDA thread");
    std::abort();
  }
  mprotect(m, kPage, PROT_NONE);  // a guard page: overflow faults
  // Tops at equal distances from a page would share a few cache sets: twice the time per switch.
  OwnedFiber f(new Fiber{.stack = static_cast<char*>(m) + kPage, .bytes = bytes, .colour = index % 60 * 64});
  rewind_fiber(*f);
  return f;
}

void rewind_fiber(Fiber& f) {
  asan_allow(f.stack, f.bytes);
  f.asan_stack = nullptr;
  f.sp = first_sp(reinterpret_cast<uintptr_t>(f.stack + f.bytes - f.colour));
}

Fiber native_fiber() {
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  void* stack;
  size_t bytes;
  pthread_attr_getstack(&attributes, &stack, &bytes);
  pthread_attr_destroy(&attributes);
  return {.stack = static_cast<char*>(stack), .bytes = bytes};
}

bool overflowed(const Fiber& f, const void* address) {
  const auto* p = static_cast<const char*>(address);
  return p < f.stack && p >= f.stack - kPage;
}

}  // namespace tapetum::emulation
